"""within report: its figures, its formats, its width, and records that it cannot read."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import socket
import struct
import subprocess
import termios

import pytest

# Known numbers of calls, and times that are known from below.
PROGRAM = r"""
#include <stdio.h>
#include <unistd.h>
#include <within.h>

static void step(int i) {
    within (wi_section("step")) {
        if (i % 4 == 0) usleep(20000);
        within (wi_section("quick")) {}
        within (wi_suppress(WI_FILE_NOT_FOUND)) {
            within (wi_section("faulty")) {
                if (i < 3) wi_raise(WI_FILE_NOT_FOUND, "no file \"%s\"", "step.csv");
            }
        }
    }
}

int main(void) {
    within (wi_section("all")) {
        for (int i = 0; i < 20; i++) step(i);
        usleep(100000);
    }
    within (wi_section("after")) {}
    return 0;
}
"""

# One section for each line of stdin, named by it.
NAMES = r"""
#include <stdio.h>
#include <string.h>
#include <within.h>

int main(void) {
    static char name[4096];
    int byte, length = 0;
    while ((byte = getchar()) != EOF) { /* names end with a '\0', so that they may have line ends */
        name[length++] = (char)byte;
        if (byte) continue;
        within (wi_section(name)) {
            within (wi_section("inside")) {}
        }
        length = 0;
    }
    return 0;
}
"""

MANY = r"""
#include <stdio.h>
#include <within.h>

int main(void) {
    char name[40];
    for (int i = 0; i < 250; i++) {
        snprintf(name, sizeof name, "outer %d", i);
        within (wi_section(name)) {
            for (int j = 0; j < 200; j++) {
                snprintf(name, sizeof name, "inner %d", j);
                within (wi_section(name)) {}
            }
        }
    }
    return 0;
}
"""

DEEP = r"""
#include <signal.h>
#include <within.h>

static void dive(int levels) {
    within (wi_section("dive")) {
        if (levels > 1) dive(levels - 1);
        else raise(SIGKILL);
    }
}

int main(void) {
    dive(10000);
    return 0;
}
"""

COLUMNS = "calls total self mean std min p50 p99 max errors".split()
FIELDS = (
    "id parent depth name path calls total_s self_s mean_s std_s min_s p50_s p99_s max_s errors "
    "percent_of_parent suppressed open"
).split()

ODD_NAMES = {
    "plain": b"plain",
    "comma": b"a,b",
    "quote": b'say "hi"',
    "line end": b"two\nlines\r",
    "backslash": b"C:\\temp\\x1b",
    "control": b"bell\x07 and \x1b[31mred\x7f",
    "no UTF-8": b"caf\xe9 \xff\xfe\x80",
    "half a character": b"cut \xe2\x82",
    "C1 control": b"csi \xc2\x9b31m",
    "UTF-8": "Größe 信号 🙂".encode(),
    "separator": b"a > b",
    "spaces": b"  in  between  ",
    "empty": b"",
    "300 bytes": b"x" * 300,
    "300 bytes UTF-8": "ü".encode() * 150,
    "JSON": b'", "calls": 7, "',
    "CSV formula": b"=1+1",
    "percent": b"100%s%n",
}


@pytest.fixture(scope="module")
def measured(within, compile_c, tmp_path_factory):
    """A function that compiles and runs a program with a record, and gives the record's path."""

    def measure(source, **options):
        folder = tmp_path_factory.mktemp("measured")
        program = compile_c(folder, source)
        command = [within, "run", "--no-report", "--record", folder / "r.within", "--", program]
        subprocess.run(command, timeout=60, capture_output=True, **options)
        return folder / "r.within"

    return measure


@pytest.fixture(scope="module")
def record(measured):
    return measured(PROGRAM)


@pytest.fixture(scope="module")
def odd_record(measured):
    return measured(NAMES, input=b"".join(name + b"\0" for name in ODD_NAMES.values()))


@pytest.fixture(scope="module")
def many_record(measured):
    return measured(MANY)


@pytest.fixture
def report(within):
    """A function that prints a report, and gives its text."""

    def print_report(*words, **options):
        done = subprocess.run([within, "report", *words], capture_output=True, timeout=60, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    return print_report


@pytest.fixture
def fail(within, tmp_path):
    """A function that gives the message of a report that fails with status 1, and prints nothing."""

    def print_report(*words, **options):
        done = subprocess.run([within, "report", *words], capture_output=True, text=True, timeout=60, cwd=tmp_path, **options)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    return print_report


def by_path(sections):
    return {section["path"]: section for section in sections}


def rows_of(text):
    """The lines of the table, without its titles."""
    table = text.split("\n\n")[1].splitlines()
    assert table[0].startswith("section ")
    return table[1:]


def on_terminal(command, columns, **environment):
    """The output of a command on a terminal of that width."""
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    process = subprocess.Popen(command, stdout=other, stderr=other, env={**clean, "TERM": "xterm", **environment})
    os.close(other)
    text = b""
    try:
        while piece := os.read(terminal, 65536):
            text += piece
    except OSError:  # how Linux tells that the other end is closed
        pass
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    return text.decode().replace("\r\n", "\n")


def width_of(line):
    return sum(2 if "\u2e80" <= c <= "\uffe6" or c > "\U0001f2ff" else 1 for c in line)


# ---- figures ----


def test_the_figures_of_known_calls(report, record):
    sections = by_path(json.loads(report("--json", record))["sections"])
    assert set(sections) == {"all", "all > step", "all > step > quick", "all > step > faulty", "after"}
    whole, step, faulty = sections["all"], sections["all > step"], sections["all > step > faulty"]
    assert (whole["calls"], step["calls"], faulty["calls"]) == (1, 20, 20)
    assert step["total_s"] >= 5 * 0.020
    assert whole["self_s"] >= 0.100
    assert whole["total_s"] >= whole["self_s"] + step["total_s"] - 1e-9
    assert step["max_s"] >= 0.020
    assert step["mean_s"] == pytest.approx(step["total_s"] / 20)
    assert step["min_s"] <= step["p50_s"] <= step["p99_s"] <= step["max_s"]
    assert step["std_s"] > 0
    assert whole["std_s"] == 0
    assert step["percent_of_parent"] == pytest.approx(100 * step["total_s"] / whole["total_s"])
    tops = whole["percent_of_parent"] + sections["after"]["percent_of_parent"]
    assert tops == pytest.approx(100)


def test_errors_and_what_was_suppressed_are_told(report, record):
    found = json.loads(report("--json", record))
    sections = by_path(found["sections"])
    assert sections["all > step > faulty"]["errors"] == 3
    assert sections["all > step"]["errors"] == 0
    assert sections["all > step"]["suppressed"] == 3
    (error,) = found["suppressed"]
    assert (error["count"], error["what"]) == (3, 'WI_FILE_NOT_FOUND: no file "step.csv"')
    assert re.fullmatch(r".*program\.c:\d+ in step", error["where"])
    text = report(record)
    assert re.search(r"suppressed errors\n +3 × WI_FILE_NOT_FOUND: no file \"step.csv\"\n +\S+:\d+ in step\n", text)


def test_nothing_is_noted_where_nothing_is_to_be_said(report, measured):
    text = report(measured('#include <within.h>\nint main(void) { within (wi_section("a")) {} return 0; }\n'))
    assert len(text.split("\n\n")) == 2, "a heading and a table"


def test_the_heading_says_what_was_measured_with_what(report, record):
    heading = dict(line.split(None, 1) for line in report(record).split("\n\n")[0].splitlines())
    assert heading["command"] == str(record.with_name("program"))
    assert heading["end"] == "ended with status 0"
    assert re.fullmatch(r"[\d.]+ m?s, from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 1 thread", heading["time"])
    assert re.fullmatch(r"(TSC|CLOCK_MONOTONIC|CNTVCT_EL0), resolution [\d.]+ ns", heading["clock"])
    assert re.fullmatch(
        r"[\d.]+ [nu]s a clock read, [\d.]+ [nu]s a section; nothing is subtracted", heading["cost"]
    )
    assert heading["record"] == str(record)


def test_the_keys_of_json_are_those_that_the_manual_lists(within, report, record):
    manual = subprocess.run([within, "--man", "report"], capture_output=True, text=True).stdout
    found = json.loads(report("--json", record))
    keys = {*found, *found["sections"][0], *found["suppressed"][0], *found["end"], *found["clock"]}
    assert {key for key in keys if not re.search(rf"\b{key}\b", manual)} == set()
    assert found["format"] == 1
    assert list(found["sections"][0]) == FIELDS
    assert found["wall_s"] >= 0.200
    for key in "folded", "dropped", "unlisted", "untallied", "torn", "damaged":
        assert found[key] == 0


def test_what_is_open_is_shown_however_short_it_was(report, measured):
    source = r"""
#include <signal.h>
#include <unistd.h>
#include <within.h>
int main(void) {
    within (wi_section("long")) usleep(100000);
    within (wi_section("short")) {}
    within (wi_section("open")) raise(SIGKILL);
    return 0;
}
"""
    text = report("--min-percent=50", measured(source))
    assert [line.split("  ")[0] for line in rows_of(text)] == ["long", "open (open)"]


# ---- formats ----


def test_the_table_has_all_columns_and_lines_up(report, record):
    lines = report(record).split("\n\n")[1].splitlines()
    assert lines[0].split() == ["section", *COLUMNS, "%", "parent"]
    assert [line.split()[0] for line in lines[1:3]] == ["all", "step"]
    assert lines[2].startswith("  step ")
    assert len({len(line) for line in lines}) == 1, "all lines end with the last column"
    assert all(line == line.rstrip() for line in report(record).splitlines())


def test_flat_lists_full_paths(report, record):
    names = [re.split(r"  +", line)[0] for line in rows_of(report("--flat", record))]
    assert names[:2] == ["all", "all > step"]
    assert set(names[2:]) == {"all > step > quick", "all > step > faulty", "after"}


def test_sorting(report, record):
    def column(field, key, *options):
        sections = json.loads(report("--json", "--sort", key, *options, record))["sections"]
        return [section[field] for section in sections]

    assert column("name", "name") == ["after", "all", "step", "faulty", "quick"]
    assert column("name", "total")[:2] == ["all", "step"]
    assert column("name", "calls") == ["after", "all", "step", "faulty", "quick"]
    assert column("name", "name", "--flat") == ["after", "all", "faulty", "quick", "step"]
    assert column("name", "calls", "--flat") == ["faulty", "quick", "step", "after", "all"]
    for key in "total", "self":
        seconds = column(f"{key}_s", key, "--flat")
        assert seconds == sorted(seconds, reverse=True)


def test_depth(report, record):
    text = report("--depth", "2", record)
    assert [line.split()[0] for line in rows_of(text)] == ["all", "step", "after"]
    assert "paths deeper than --depth, not shown: 2\n" in text
    assert len(json.loads(report("--json", "--depth=1", record))["sections"]) == 2


def test_min_percent(report, record):
    text = report("--min-percent", "10", record)
    assert [line.split()[0] for line in rows_of(text)] == ["all", "step"]
    assert "paths below --min-percent, not shown: 3\n" in text


def test_csv_has_the_same_figures_as_json(report, record):
    lines = list(csv.reader(io.StringIO(report("--csv", record), newline="")))
    assert lines[0] == FIELDS
    sections = json.loads(report("--json", record))["sections"]
    assert len(lines) == 1 + len(sections)
    for line, section in zip(lines[1:], sections):
        for field, value in zip(FIELDS, line):
            expected = section[field]
            if isinstance(expected, float):
                # two readings of a clock's rate, a moment apart
                assert float(value) == pytest.approx(expected, rel=1e-3)
            else:
                assert value == ("" if expected is None else str(expected))


def test_odd_names_survive_json_and_csv(report, odd_record):
    sections = json.loads(report("--json", odd_record))["sections"]
    tops = [section for section in sections if section["parent"] is None]
    lines = list(csv.DictReader(io.StringIO(report("--csv", odd_record), newline="")))
    assert len(tops) == len(ODD_NAMES)
    assert len(lines) == 2 * len(ODD_NAMES)
    names = {section["name"] for section in tops}
    assert {line["name"] for line in lines} == names | {"inside"}
    for kept in "plain", "comma", "quote", "backslash", "UTF-8", "separator", "spaces", "empty", "JSON", "percent":
        assert ODD_NAMES[kept].decode() in names
    assert "two\\x0alines\\x0d" in names
    assert "bell\\x07 and \\x1b[31mred\\x7f" in names
    assert "caf\\xe9 \\xff\\xfe\\x80" in names
    assert "cut \\xe2\\x82" in names
    assert "x" * 200 + "…" in names
    assert "ü" * 100 + "…" in names


@pytest.mark.parametrize("options", [[], ["--flat"], ["--json"], ["--csv"]])
def test_no_name_reaches_a_terminal_as_a_control_character(report, odd_record, options):
    text = report(*options, odd_record)
    assert [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160] == []


def test_no_argument_of_the_program_does_either(within, report, record, tmp_path):
    program = record.with_name("program")
    command = [within, "run", "--record", "r", "--", program, b"\x1b[31m", b"\xc2\x9b31m", b"caf\xe9", '"', "\n"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    shown = '\\x1b[31m \\xc2\\x9b31m caf\\xe9 " \\x0a'
    assert f"command  {program} {shown}\n" in done.stderr
    assert json.loads(report("--json", tmp_path / "r"))["command"] == f"{program} {shown}"


def test_the_table_of_odd_names_lines_up(report, odd_record):
    lines = [line for line in report(odd_record).split("\n\n")[1].splitlines() if "x" * 99 not in line]
    assert len(lines) >= 2 * len(ODD_NAMES) - 1
    assert len({width_of(line) for line in lines if "ü" * 99 not in line}) == 1


# ---- terminals ----


@pytest.mark.parametrize("columns", [2000, 200, 120, 100, 80, 60, 40])
@pytest.mark.parametrize("options", [[], ["--flat"]])
def test_the_table_fits_the_terminal(within, record, odd_record, columns, options):
    for path in record, odd_record:
        text = on_terminal([within, "report", *options, path], columns, NO_COLOR="1")
        lines = text.split("\n\n")[1].splitlines()
        table = [line for line in lines if not line.startswith("columns left out")]
        assert max(map(width_of, table)) <= columns
        left_out = [line for line in lines if line.startswith("columns left out: ")]
        shown = table[0].replace("% parent", "%parent").split()[1:]
        named = re.findall(r"[\w%]+(?: parent)?", left_out[0].split(": ")[1].split(";")[0]) if left_out else []
        assert sorted(shown + [name.replace(" ", "") for name in named]) == sorted([*COLUMNS, "%parent"])
        assert {"calls", "total"} <= set(shown)


def test_long_names_are_cut_in_the_middle_on_a_terminal(within, odd_record):
    text = on_terminal([within, "report", odd_record], 100, NO_COLOR="1")
    assert re.search(r"^x+…x+… ", text, re.MULTILINE)


def test_colour_is_for_terminals_only(within, record, report):
    assert "\033[" in on_terminal([within, "report", record], 100)
    assert "\033[" not in report(record)


def test_no_colour_where_it_is_not_wanted(within, record):
    assert "\033[" not in on_terminal([within, "report", record], 100, NO_COLOR="1")
    assert "\033[" not in on_terminal([within, "report", record], 100, TERM="dumb")
    assert "\033[" in on_terminal([within, "report", record], 100, NO_COLOR="")


def test_colour_changes_nothing_but_colour(within, record):
    coloured = on_terminal([within, "report", record], 100)
    assert re.sub(r"\033\[\d+m", "", coloured) == on_terminal([within, "report", record], 100, NO_COLOR="1")


# ---- which record ----


def test_without_a_path_the_newest_record_is_taken(within, report, record, odd_record, tmp_path):
    folder = tmp_path / ".within"
    folder.mkdir()
    (folder / "zz-old.within").write_bytes(odd_record.read_bytes())
    (folder / "aa-new.within").write_bytes(record.read_bytes())
    (folder / "notes.txt").write_text("newer, but no record")
    (folder / "aa-new.within.123").write_bytes(odd_record.read_bytes())
    (folder / "folder.within").mkdir()
    os.utime(folder / "zz-old.within", (1, 1))
    assert "record   .within/aa-new.within\n" in report(cwd=tmp_path)


def test_no_record_at_all_is_said(fail, tmp_path):
    message = "within report: there is no record below .within/ here; make one: within run -- COMMAND\n"
    assert fail() == message
    (tmp_path / ".within").mkdir()
    assert fail() == message


def test_a_file_in_the_place_of_the_folder_is_said(fail, tmp_path):
    (tmp_path / ".within").write_text("")
    assert fail() == "within report: .within: Not a directory\n"


# ---- records that cannot be read ----


def test_a_missing_record_is_said(fail):
    assert fail("no.within") == "within report: no.within: No such file or directory\n"


def test_a_directory_is_said(fail, tmp_path):
    assert fail(".") == "within report: .: is a directory\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"snr,ber\n", "is not a within record"),
        (b"\x7fELF" + b"x" * 100000, "is not a within record"),
        (b"WITHIN\r\n", "is cut off inside its header"),
        (b"WITHIN\n" + b"\0" * 100000, "is not a within record"),
    ],
    ids=["empty", "short", "long", "cut", "line ends changed"],
)
def test_a_foreign_file_is_said(fail, tmp_path, content, why):
    (tmp_path / "file").write_bytes(content)
    assert fail("file") == f"within report: file: {why}\n"


def test_another_version_is_said(fail, record, tmp_path):
    content = bytearray(record.read_bytes())
    content[8] += 1
    (tmp_path / "file").write_bytes(content)
    assert "is a record of version 2; this within reads version 1" in fail("file")


def test_no_permission_is_said(within, record, tmp_path):
    (tmp_path / "file").write_bytes(record.read_bytes())
    (tmp_path / "file").chmod(0)
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    if subprocess.run([*as_nobody, "test", "-x", within], timeout=60).returncode:
        pytest.skip("the command is where only root may go")
    command = [*as_nobody, within, "report", tmp_path / "file"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.endswith("file: Permission denied\n")


def test_a_cut_off_record_still_tells_something(within, record, tmp_path):
    content = record.read_bytes()
    used = len(content.rstrip(b"\0"))
    (tmp_path / "cut").write_bytes(content[: used * 3 // 4])
    done = subprocess.run([within, "report", tmp_path / "cut"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "parts left out because they made no sense, for the file is damaged: " in done.stdout


def test_a_program_that_nobody_watched(compile_c, report, tmp_path):
    program = compile_c(tmp_path, PROGRAM)
    subprocess.run([program], env={**os.environ, "WITHIN_RECORD": str(tmp_path / "r")}, timeout=60)
    assert "end      ended; with which status is not known\n" in report(tmp_path / "r")


# ---- output ----


def test_a_reader_that_has_gone_is_no_news(within, many_record):
    report = subprocess.Popen([within, "report", many_record], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    report.stdout.readline()
    report.stdout.close()
    assert report.stderr.read() == b""
    report.wait(timeout=60)
    report.stderr.close()


def test_a_reader_that_has_gone_is_no_news_without_its_signal_either(within, record, many_record):
    for path in record, many_record:
        command = f"(trap '' PIPE; {within} report {path}; echo $? >&2) | true"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.stderr in ("0\n", "1\n")


def test_a_full_disk_is_said(within, record, many_record):
    for path in record, many_record:
        with open("/dev/full", "w") as full:
            done = subprocess.run([within, "report", path], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 1
        assert done.stderr == "within: cannot write the output: No space left on device\n"


# ---- size ----


@pytest.mark.parametrize("options", [[], ["--flat"], ["--json"], ["--csv"], ["--sort=name"]])
def test_50000_paths_are_printed(report, many_record, options):
    text = report(*options, many_record)
    assert len(text.splitlines()) >= 250 * 201
    if options == ["--json"]:
        assert len(json.loads(text)["sections"]) == 250 * 201


def test_10000_levels_are_printed_in_bounded_space(report, measured):
    deep = measured(DEEP)
    sections = json.loads(report("--json", deep))["sections"]
    assert [section["depth"] for section in sections] == list(range(10000))
    assert [section["parent"] for section in sections[1:]] == [section["id"] for section in sections[:-1]]
    assert max(len(section["path"]) for section in sections) <= 2048
    assert sections[-1]["path"].startswith("… > dive > dive > ")
    text = report(deep)
    assert re.search(r"\[level 10000\] dive \(open\) +1 ", text)
    assert "  and 9980 more, further out\n" in text


# ---- wi_report ----

SELF = r"""
#include <locale.h>
#include <stdio.h>
#include <within.h>

int main(void) {
    setlocale(LC_ALL, "");
    within (wi_section("outer")) {
        within (wi_section("inner")) {}
        wi_report(stderr);
    }
    return localeconv()->decimal_point[0] == ',';
}
"""


@pytest.fixture(scope="module")
def self_reporting(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("self"), SELF)


def test_a_program_may_print_its_own_report(self_reporting):
    text = subprocess.run([self_reporting], capture_output=True, text=True, timeout=60).stderr
    assert len(rows_of(text)) == 2
    assert re.search(r"^outer \(open\) +1 ", text, re.MULTILINE)
    assert re.search(r"^  inner +1 ", text, re.MULTILINE)
    assert "open now, innermost first\n  section  outer  since " in text
    assert "end      running, process " in text


def test_kinds_of_things_held_make_their_column_wide_enough(compile_c, tmp_path):
    program = compile_c(
        tmp_path,
        """
        #include <within.h>
        int main(void) {
            within (wi_section("outer")) {
                wi_hold("transaction", "runs.db");
                wi_report(NULL);
            }
            return 0;
        }
        """,
    )
    text = subprocess.run([program], capture_output=True, text=True, timeout=60).stderr
    held, section = text.split("innermost first\n")[1].splitlines()[:2]
    assert held.index("runs.db") == section.index("outer") == len("  transaction ")
    assert held.index("since") == section.index("since")


def test_its_report_is_written_in_one_piece(self_reporting):
    """Other threads print on stderr too. Each write is one datagram here."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        subprocess.run([self_reporting], stderr=theirs, timeout=60)
        text = ours.recv(1 << 20).decode()
    assert text.startswith("command  ") and "open now" in text


def test_its_language_does_not_change_the_numbers(self_reporting, tmp_path):
    made = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", tmp_path / "de_DE.UTF-8"], capture_output=True, timeout=60
    )
    if not (tmp_path / "de_DE.UTF-8").exists():
        pytest.skip(f"no locale with a decimal comma can be made here: {made.stderr}")
    environment = {**os.environ, "LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    done = subprocess.run([self_reporting], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1, "the program itself has a decimal comma, then as before"
    assert re.search(r"resolution \d+\.\d+ ns\n", done.stderr)
