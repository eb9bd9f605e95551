"""Sections: what a block measures, and what a section object is."""

import gc
import inspect
import pickle
import time

import pytest

import within as wi


def test_each_path_of_nesting_has_a_line(record):
    paths = record(
        """
import within as wi
for _ in range(3):
    with wi.section("epoch"):
        with wi.section("forward"): pass
        with wi.section("loss"): pass
    with wi.section("forward"): pass
"""
    ).paths
    assert {path: row["calls"] for path, row in paths.items()} == {
        "epoch": 3,
        "epoch > forward": 3,
        "epoch > loss": 3,
        "forward": 3,
    }


def test_the_time_of_a_block_is_measured(record):
    paths = record(
        """
import time, within as wi
for seconds in 0.01, 0.03:
    with wi.section("sleep"):
        time.sleep(seconds)
"""
    ).paths
    row = paths["sleep"]
    assert 0.04 <= row["total_s"] < 1 and 0.01 <= row["min_s"] <= 0.03 <= row["max_s"]
    assert row["std_s"] == pytest.approx((row["max_s"] - row["min_s"]) / 2, rel=0.01)


def test_the_manager_is_the_section():
    section = wi.section("a")
    with section as entered:
        assert entered is section
    assert section.__enter__() is section
    assert section.__exit__(None, None, None) is None


def test_elapsed_is_the_time_so_far_and_afterwards_the_time_it_took():
    section = wi.section("a")
    assert section.elapsed == 0.0
    with section:
        time.sleep(0.01)
        so_far = section.elapsed
        assert 0.01 <= so_far <= section.elapsed
    assert so_far <= section.elapsed < so_far + 1
    assert section.elapsed == section.elapsed
    begin = time.perf_counter()
    with section:
        pass
    assert section.elapsed < 1.01 * (time.perf_counter() - begin)  # and not since the first time


def test_an_exception_passes_and_is_counted(record):
    paths = record(
        """
import within as wi
for caught in (ValueError, KeyboardInterrupt, None):
    try:
        with wi.section("outer"), wi.section("inner"):
            if caught:
                raise (raised := caught("no"))
    except BaseException as passed:
        assert passed is raised and passed.__traceback__.tb_next is None and passed.__context__ is None
"""
    ).paths
    assert (paths["outer"]["errors"], paths["outer > inner"]["errors"]) == (2, 2)
    assert paths["outer > inner"]["calls"] == 3


def test_ways_out_of_a_block_are_no_errors(record):
    paths = record(
        """
import within as wi
def leave():
    with wi.section("return"):
        return 1
def generate():
    with wi.section("close"):
        yield
leave()
for _ in range(2):
    with wi.section("continue"): continue
generator = generate(); next(generator); generator.close()
"""
    ).paths
    assert {path: (row["calls"], row["errors"]) for path, row in paths.items()} == {
        "return": (1, 0),
        "continue": (2, 0),
        "close": (1, 0),
    }


# ---- misuse ----


def test_an_open_section_cannot_be_entered_again():
    section = wi.section("a")
    with section:
        with pytest.raises(RuntimeError, match=r"section 'a' is open already: .* write section\(name\) in the with"):
            section.__enter__()
        with pytest.raises(RuntimeError, match="open already"):
            with section:
                pass
    with section:
        pass


def test_a_section_that_is_not_open_cannot_be_left():
    section = wi.section("a")
    with pytest.raises(RuntimeError, match="section 'a' is not open"):
        section.__exit__(None, None, None)
    with section:
        section.__exit__(None, None, None)
        section.__enter__()


@pytest.mark.parametrize("name", [b"bytes", 3, None, ["list"], object])
def test_a_name_must_be_a_string(name):
    with pytest.raises(TypeError, match=f"^section\\(\\) name must be str, not {type(name).__name__}$"):
        wi.section(name)


def test_a_function_in_place_of_a_name_is_told_how_to_decorate():
    with pytest.raises(TypeError, match=r'must be str, not function; .* write @section\("name"\)'):

        @wi.section
        def function():
            pass


def test_arguments_are_checked():
    for arguments, keywords in [((), {}), (("a", "b"), {}), ((), {"label": "a"}), (("a",), {"name": "a"})]:
        with pytest.raises(TypeError, match="section"):
            wi.section(*arguments, **keywords)
    assert wi.section(name="keyword").name == "keyword"


def test_exit_is_given_three_arguments():
    with wi.section("a") as section:
        with pytest.raises(TypeError):
            section.__exit__(None)


# ---- names ----


def test_any_string_is_a_name(record):
    names = ["", "a > b", "naïve 日本 🎉", "x" * 200, "y" * 300, "\0", "a\0b", "\ud800", "line\n"]
    paths = record(
        f"""
import within as wi
for name in {names!r}:
    for _ in range(2):
        with wi.section(name):
            pass
"""
    ).paths
    shown = ["", "a > b", "naïve 日本 🎉", "x" * 200, "y" * 200 + "…", "\\x00", "a\\x00b", "\\ud800", "line\\x0a"]
    assert {path: row["calls"] for path, row in paths.items()} == dict.fromkeys(shown, 2)


def test_a_name_is_cut_between_characters(record):
    (path,) = record("import within as wi\nwith wi.section('日' * 100): pass").paths
    assert path == "日" * 66 + "…"


def test_names_beyond_the_table_are_found_too(record):
    paths = record(
        """
import within as wi
for i in range(5000):
    with wi.section("name %d" % i): pass
for i in range(5000):
    with wi.section("name %d" % i): pass
"""
    ).paths
    assert len(paths) == 5000 and {row["calls"] for row in paths.values()} == {2}


def test_equal_strings_are_one_name(record):
    paths = record(
        """
import within as wi
class Text(str):
    def __hash__(self): raise AssertionError
for i in range(1000):
    with wi.section("".join(["na", "me"])): pass
with wi.section(Text("name")): pass
"""
    ).paths
    assert paths["name"]["calls"] == 1001 and len(paths) == 1


def test_name_is_kept_as_it_was_given():
    assert wi.section("a\0\ud800").name == "a\0\ud800"
    with pytest.raises(AttributeError):
        wi.section("a").name = "b"


# ---- the object ----


def test_repr_says_whether_it_is_open():
    section = wi.section("a")
    assert repr(section) == "<within.section 'a', not open>"
    with section:
        assert repr(section) == "<within.section 'a', open>"


def test_the_type_is_a_citizen():
    assert wi.section.__module__ == "within" and wi.section.__qualname__ == "section"
    assert list(inspect.signature(wi.section).parameters) == ["name", "gpu"]
    assert "measures" in wi.section.__doc__
    with pytest.raises(TypeError):
        pickle.dumps(wi.section("a"))


def test_subclasses_may_override():
    class Noted(wi.section):
        def __init__(self, name, note="none"):
            self.note = note

        def __new__(cls, name, note="none"):
            return super().__new__(cls, name)

        def __enter__(self):
            self.note += " entered"
            return super().__enter__()

        def __exit__(self, *exception):
            self.note += " left"
            return super().__exit__(*exception)

    with Noted("a", note="it") as noted:
        pass
    assert noted.note == "it entered left" and noted.elapsed > 0

    class Plain(wi.section):
        pass

    with Plain("a") as plain:
        plain.attribute = plain
    del plain
    gc.collect()


def test_subclasses_may_be_called():
    class Called(wi.section):
        def __call__(self, *arguments):
            return arguments

    called = Called("a")
    assert called() == () and called(1, 2, 3) == (1, 2, 3)
    with called:
        pass
    assert called.elapsed > 0


def test_an_open_section_that_is_thrown_away_is_closed(record):
    result = record(
        """
import within as wi
def open_one():
    wi.section("thrown away").__enter__()
open_one()
with wi.section("after"): pass
"""
    )
    assert {path: row["open"] for path, row in result.paths.items()} == {"thrown away": 0, "after": 0}
    assert not result["mismatched"]


def test_its_look_up_in_the_module_is_the_fast_one():
    """A module with a __getattr__ is never specialised for: each wi.section would take a fifth longer."""
    assert "__getattr__" not in vars(wi) and type(wi) is type(gc)


# ---- memory ----


def test_nothing_is_lost(lost_references):
    def use():
        with wi.section("a"):
            with wi.section("b") as section:
                section.elapsed
            repr(section)
        try:
            with wi.section("a"):
                raise ValueError
        except ValueError:
            pass

    def misuse():
        with pytest.raises(TypeError):
            wi.section(1)

    def with_new_names():
        with wi.section("".join(["n", "ew"])):
            pass
        with wi.section("\0" * 3):
            pass

    assert lost_references(use) < 0.01
    assert lost_references(misuse, 1000) < 0.1
    assert lost_references(with_new_names) < 0.01


def test_half_a_million_calls_need_no_more_memory_than_a_thousand(python):
    out = python(
        """
import resource, within as wi
def use(n):
    for _ in range(n):
        with wi.section("outer"):
            with wi.section("inner"): pass
use(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
use(250_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ).stdout
    assert int(out) < 500


def test_ten_thousand_levels_deep(record):
    result = record(
        """
import within as wi
sections = [wi.section("level") for _ in range(10_000)]
for section in sections: section.__enter__()
for section in reversed(sections): section.__exit__(None, None, None)
"""
    )
    assert len(result["sections"]) == 10_000 and not result["open"] and not result["mismatched"]


def test_recursion(record):
    result = record(
        """
import sys, threading, within as wi
sys.setrecursionlimit(20_000)
threading.stack_size(512 * 1024 * 1024)
def descend(depth):
    with wi.section("level"):
        if depth: descend(depth - 1)
thread = threading.Thread(target=descend, args=(9_999,)); thread.start(); thread.join()
try:
    sys.setrecursionlimit(200); descend(10_000)
except RecursionError:
    pass
with wi.section("after"): pass
"""
    )
    assert len(result["sections"]) == 10_001 and not result["open"] and not result["mismatched"]
