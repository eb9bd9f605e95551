"""A profiler's report as text, HTML, dictionary and data frame, from figures that are made up."""

import html.parser
import json
import math
import pickle
import sys
import types

import pytest

from within import _report_html as report_html
from within import _report_text as report_text
from within import _stats as stats
from within._stats import SectionStats

NAN = math.nan
EPOCH = SectionStats("epoch", 100, 5.2341, 0.1, 0.0523, 0.0011, 0.05, 0.052, 0.06, 0.061, 0)
FORWARD = SectionStats("epoch > forward", 100, 2.1034, 2.1034, 0.0210, 0.0004, 0.02, 0.021, 0.03, 0.04, 2)
ON_GPU = FORWARD._replace(gpu=0.03, gpu_delta=128_500_000, gpu_peak=612_300_000)
OPEN = SectionStats("still open", 1, 12.0, 12.0, NAN, NAN, NAN, NAN, NAN, NAN, 0)

KNOWN = """\
Profiling Report
==================================================
epoch                                    calls= 100 total=5.2341s mean=0.0523s std=0.0011s
epoch > forward                          calls= 100 total=2.1034s mean=0.0210s std=0.0004s"""


def named(path):
    return EPOCH._replace(path=path)


def test_the_report_is_the_one_that_people_know():
    assert report_text.text([EPOCH, FORWARD]) == KNOWN


def test_the_report_of_nothing_has_a_title_only():
    assert report_text.text([]) == "Profiling Report\n" + 50 * "="


def test_the_title_can_be_chosen():
    assert report_text.text([], title="Training").startswith("Training\n=====")


def test_further_columns_come_after_the_known_ones():
    line = report_text.text([FORWARD], "all").splitlines()[2]
    assert line.endswith(
        "std=0.0004s self=2.1034s min=0.0200s p50=0.0210s p99=0.0300s max=0.0400s errors=2"
    )


@pytest.mark.parametrize("columns", ["p99 self", "p99, self", ["p99", "self"], ("p99", "mean", "self", "p99")])
def test_further_columns_are_shown_in_the_order_asked_for(columns):
    line = report_text.text([EPOCH], columns).splitlines()[2]
    assert line.endswith("std=0.0011s p99=0.0600s self=0.1000s")


def test_a_column_that_is_not_there_is_an_error_that_lists_those_that_are():
    with pytest.raises(ValueError, match="there is no 'p95', but self, min, p50, p99, max, errors"):
        report_text.text([EPOCH], "p95")


@pytest.mark.parametrize("columns, kind", [(3, "int"), (None, "NoneType")])
def test_columns_of_a_wrong_type_are_an_error_that_names_it(columns, kind):
    with pytest.raises(TypeError, match=rf"Profiler.report\(\) columns must be names of columns, not {kind}"):
        report_text.text([EPOCH], columns)


def test_columns_stay_aligned_when_figures_are_wide():
    lines = report_text.text([EPOCH, OPEN._replace(calls=1234567), named("x" * 60)]).splitlines()[2:]
    assert len({len(line) for line in lines}) == 1
    assert "total=12.0000s mean=      - std=      -" in lines[1]
    assert "total= 5.2341s" in lines[0]


def test_a_path_that_is_too_long_sticks_out_alone():
    lines = report_text.text([EPOCH, named("x" * 100)]).splitlines()[2:]
    assert lines[0] == KNOWN.splitlines()[2]
    assert lines[1].startswith("x" * 100 + " calls= 100")


# ---- HTML ----


class Cells(html.parser.HTMLParser):
    """The rows of a table, as lists of texts; complains about tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def test_the_table_has_a_row_for_each_path():
    heads, epoch, forward, still_open = Cells(report_html.table([EPOCH, FORWARD, OPEN])).rows
    assert heads == ["path", "calls", "total", "self", "mean", "std", "min", "p50", "p99", "max", "errors"]
    assert epoch[:5] == ["epoch", "100", "5.234 s", "100.0 ms", "52.30 ms"]
    assert forward[0] == "epoch > forward" and forward[-1] == "2"
    assert still_open[4] == "–"


def test_the_table_of_nothing_says_so():
    assert Cells(report_html.table([])).rows[1] == ["no sections yet"]


def test_names_are_escaped_in_the_table():
    name = "<script>alert('x')</script> & \"more\""
    text = report_html.table([named(name + " > " + name)], title="<b>")
    assert "<script" not in text and "<b>" not in text
    assert Cells(text).rows[1][0] == name + " > " + name


def test_the_table_needs_nothing_from_elsewhere():
    text = report_html.table([EPOCH])
    assert "http" not in text and "src=" not in text and "url(" not in text


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0 s"),
        (5e-10, "0.5000 ns"),
        (1.5e-8, "15.00 ns"),
        (2.5e-6, "2.500 µs"),
        (0.0523, "52.30 ms"),
        (0.99999, "1.000 s"),
        (5.2341, "5.234 s"),
        (86400, "86,400 s"),
        (NAN, "–"),
    ],
)
def test_durations_are_told_in_the_unit_that_suits_them(seconds, text):
    assert report_html.duration(seconds) == text


# ---- of the GPU ----


def test_columns_of_the_gpu_are_shown_on_request():
    line = report_text.text([ON_GPU], "gpu gpu_delta gpu_peak").splitlines()[2]
    assert line.endswith("std=0.0004s gpu=0.0300s gpu_delta=+128.5MB gpu_peak=612.3MB")
    assert report_text.text([EPOCH], "gpu, gpu_peak").splitlines()[2].endswith("std=0.0011s gpu=- gpu_peak=-")


def test_all_columns_have_those_of_the_gpu_where_one_was_used():
    epoch, forward = report_text.text([EPOCH, ON_GPU], "all").splitlines()[2:]
    assert epoch.endswith("errors=0 gpu=      - gpu_delta=       - gpu_peak=      -")
    assert forward.endswith("errors=2 gpu=0.0300s gpu_delta=+128.5MB gpu_peak=612.3MB")


def test_the_dictionary_and_the_table_have_them_where_one_was_used():
    assert stats.to_dict([EPOCH, ON_GPU])["epoch"]["gpu"] is None
    assert stats.to_dict([EPOCH, ON_GPU])["epoch > forward"]["gpu_peak"] == 612_300_000
    table = report_html.table([EPOCH, ON_GPU])
    assert ">gpu_peak</th>" in table and "<td>+128.5 MB</td><td>612.3 MB</td>" in table and "<td>–</td>" in table
    assert "gpu" not in report_html.table([EPOCH])


# ---- other forms ----


def test_the_dictionary_is_by_path_and_fit_for_json():
    figures = stats.to_dict([EPOCH, OPEN])
    assert figures["epoch"]["self"] == 0.1 and list(figures["epoch"]) == list(SectionStats._fields[1:-3])
    assert figures["still open"]["mean"] is None
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"Profiler.to_pandas\(\) needs pandas: pip install pandas"):
        stats.to_pandas([EPOCH])


def test_pandas_gets_records_and_the_names_of_their_columns(monkeypatch):
    class DataFrame:
        from_records = staticmethod(lambda records, columns: (records, columns))

    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(DataFrame=DataFrame))
    assert stats.to_pandas([EPOCH, OPEN]) == ([EPOCH, OPEN], SectionStats._fields)


@pytest.mark.parametrize("lines", [[], [EPOCH, OPEN]])
def test_a_data_frame_has_a_row_for_each_path(lines):
    pytest.importorskip("pandas")
    frame = stats.to_pandas(lines)
    assert list(frame.columns) == list(SectionStats._fields)
    assert list(frame["path"]) == [line.path for line in lines]
    assert list(frame["total"]) == [line.total for line in lines]


def test_a_record_can_be_read_by_name_and_unpacked():
    path, calls, *_ = EPOCH
    assert (path, calls) == (EPOCH.path, EPOCH.calls)
    assert repr(EPOCH).startswith("SectionStats(path='epoch', calls=100, total=5.2341, self=0.1")


def test_a_record_can_be_pickled():
    assert pickle.loads(pickle.dumps(EPOCH)) == EPOCH
