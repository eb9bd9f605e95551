"""Numbers and texts of reports: units, digits, widths and shortening, function by function."""

import subprocess

import pytest

PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
#include "report/units.c"
#include "report/utf8.c"

int main(int argc, char **argv) {
    char text[4096];
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[1], "seconds") == 0) puts(wi__seconds_text(strtod(argv[i], NULL)).text);
        if (strcmp(argv[1], "count") == 0) puts(wi__count_text(strtoull(argv[i], NULL, 10)).text);
        if (strcmp(argv[1], "bytes") == 0) puts(wi__bytes_text(strtoull(argv[i], NULL, 10)).text);
        if (strcmp(argv[1], "percent") == 0) puts(wi__percent_text(strtod(argv[i], NULL)).text);
        if (strcmp(argv[1], "utc") == 0) puts(wi__moment_utc_text(strtoull(argv[i], NULL, 10)).text);
        if (strcmp(argv[1], "width") == 0) printf("%d\n", wi__text_width(argv[i]));
        if (strcmp(argv[1], "printable") == 0) wi__printable(text, sizeof text, argv[i]), puts(text);
        if (strcmp(argv[1], "printable in 8") == 0) wi__printable(text, 8, argv[i]), puts(text);
        if (strncmp(argv[1], "shorten ", 8) == 0)
            printf(" %d\n", wi__print_shortened(stdout, argv[i], atoi(argv[1] + 8)));
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def texts(compile_c, root, tmp_path_factory):
    """A function that gives the texts that a function of the report makes of its arguments."""
    program = compile_c(tmp_path_factory.mktemp("texts"), PROGRAM, "-D_GNU_SOURCE", f"-I{root}/src")

    def call(function, *arguments):
        done = subprocess.run([program, function, *arguments], capture_output=True, timeout=60)
        assert done.returncode == 0
        return done.stdout.decode().splitlines()

    return call


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ("0", "0 s"),
        ("-1", "0 s"),
        ("nan", "-"),
        ("3e-10", "0.30 ns"),
        ("1.234e-9", "1.23 ns"),
        ("9.996e-9", "10.0 ns"),
        ("9.994e-9", "9.99 ns"),
        ("99.96e-9", "100 ns"),
        ("999.4e-9", "999 ns"),
        ("999.6e-9", "1.00 us"),
        ("4.56e-6", "4.56 us"),
        ("12.34e-3", "12.3 ms"),
        ("0.9994", "999 ms"),
        ("0.9996", "1.000 s"),
        ("1.2344", "1.234 s"),
        ("9.9996", "10.00 s"),
        ("12.344", "12.34 s"),
        ("123.44", "123.4 s"),
        ("9999.4", "9999 s"),
        ("9999.6", "10,000 s"),
        ("1234567.8", "1,234,568 s"),
        ("1e300", "1,000,000,000,000,000 s"),
        ("inf", "1,000,000,000,000,000 s"),
    ],
)
def test_seconds(texts, seconds, text):
    assert texts("seconds", seconds) == [text]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        ("0", "0"),
        ("999", "999"),
        ("1000", "1,000"),
        ("9999999", "9,999,999"),
        ("10000000", "10.0M"),
        ("999400000", "999M"),
        ("999600000", "1.00G"),
        ("18446744073709551615", "18.4E"),
    ],
)
def test_counts(texts, count, text):
    assert texts("count", count) == [text]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        ("0", "0 B"),
        ("999", "999 B"),
        ("1000", "1.00 kB"),
        ("999499", "999 kB"),
        ("999500", "1.00 MB"),
        ("3400000", "3.40 MB"),
        ("12345678901", "12.3 GB"),
        ("18446744073709551615", "18.4 EB"),
    ],
)
def test_bytes(texts, count, text):
    assert texts("bytes", count) == [text]


def test_percentages(texts):
    assert texts("percent", "0", "12.34", "100", "nan") == ["0.0", "12.3", "100.0", "-"]


def test_moments(texts):
    assert texts("utc", "1700000000123456789") == ["2023-11-14T22:13:20.123456Z"]
    assert len(texts("utc", "18446744073709551615")[0]) < 32


def test_widths(texts):
    assert texts("width", "", "abc", "Größe", "信号", "🙂", "e\u0301") == ["0", "3", "5", "4", "2", "1"]


@pytest.mark.parametrize(
    ("width", "text", "shortened"),
    [
        (3, "abc", "abc 3"),
        (3, "abcd", "a…d 3"),
        (6, "abcdefgh", "abc…gh 6"),
        (5, "信号信号", "信…号 5"),
        (4, "信号信号", "信… 3"),
        (6, "ab信号cd", "ab…cd 5"),
        (1, "abc", "… 1"),
    ],
)
def test_shortening_keeps_begin_and_end_and_never_half_a_character(texts, width, text, shortened):
    assert texts(f"shorten {width}", text) == [shortened]


def test_printable_texts_stay(texts):
    kept = ["plain", "Größe 信号 🙂", "\\x1b", 'quote " and \\']
    assert texts("printable", *kept) == kept


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f"),
        (b"\xff\xfe caf\xe9", "\\xff\\xfe caf\\xe9"),
        (b"cut \xe2\x82", "cut \\xe2\\x82"),
        (b"\xc2\x9b C1", "\\xc2\\x9b C1"),
        (b"\xe2\x80\xae backwards", "\\xe2\\x80\\xae backwards"),
        (b"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80", "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80"),
    ],
    ids=["controls", "bytes", "half", "C1", "direction", "overlong, surrogate, too large"],
)
def test_what_is_not_printable_is_shown_as_bytes(texts, text, shown):
    assert texts("printable", text) == [shown]


def test_a_text_is_cut_between_characters(texts):
    assert texts("printable in 8", "123456ü", "12345ü", b"1234\x07") == ["123456", "12345ü", "1234"]
