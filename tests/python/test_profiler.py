"""Profiler: sections apart from all others, and what they are told to have cost."""

import asyncio
import contextlib
import doctest
import gc
import inspect
import io
import math
import os
import pickle
import sys
import threading
import time
import tracemalloc
import weakref

import pytest

import within as wi


@pytest.fixture
def profiler():
    return wi.Profiler()


def calls_of(profiler):
    """How often each path was entered."""
    return {line.path: line.calls for line in profiler.stats()}


def line_of(profiler, path):
    """The figures of one path."""
    return next(line for line in profiler.stats() if line.path == path)


# ---- sections ----


def test_a_new_profiler_has_nothing_to_tell(profiler):
    assert profiler.stats() == [] and profiler.to_dict() == {}


def test_sections_nest_and_are_told_sorted_by_path(profiler):
    for _ in range(3):
        with profiler.section("epoch"):
            with profiler.section("forward"):
                pass
            with profiler.section("backward"):
                with profiler.section("forward"):
                    pass
    assert list(calls_of(profiler).items()) == [
        ("epoch", 3),
        ("epoch > backward", 3),
        ("epoch > backward > forward", 3),
        ("epoch > forward", 3),
    ]


def test_the_figures_are_those_of_the_calls(profiler):
    begin = time.perf_counter()
    for pause in (0.001, 0.004):
        with profiler.section("outer"):
            time.sleep(pause)
            with profiler.section("inner"):
                time.sleep(0.002)
    passed = time.perf_counter() - begin
    outer, inner = line_of(profiler, "outer"), line_of(profiler, "outer > inner")
    assert outer.calls == inner.calls == 2 and outer.errors == 0
    assert 0.009 <= outer.total <= passed and inner.total >= 0.004
    assert outer.self == pytest.approx(outer.total - inner.total) and inner.self == inner.total
    assert outer.mean == pytest.approx(outer.total / 2)
    assert outer.min + outer.max == pytest.approx(outer.total) and outer.max > outer.min >= 0.003
    assert outer.std == pytest.approx((outer.max - outer.min) / 2)
    assert outer.p50 == pytest.approx(outer.min, rel=0.07) and outer.p99 == pytest.approx(outer.max, rel=0.07)


def test_an_exception_passes_on_and_is_counted(profiler):
    with profiler.section("outer"), contextlib.suppress(KeyError):
        with profiler.section("inner"):
            raise KeyError
    assert line_of(profiler, "outer > inner").errors == 1
    assert line_of(profiler, "outer").errors == 0


def test_an_open_section_counts_with_its_time_up_to_now(profiler):
    with profiler.section("epoch"):
        time.sleep(0.002)
        (line,) = profiler.stats()
        assert line.calls == 1 and line.total >= 0.002 and math.isnan(line.mean)
        assert profiler.to_dict()["epoch"]["mean"] is None
    (line,) = profiler.stats()
    assert line.calls == 1 and line.mean == line.total


def test_a_section_of_a_profiler_is_a_decorator(profiler):
    @profiler.section("factorial")
    def factorial(n):
        """Multiply."""
        return n * factorial(n - 1) if n else 1

    assert factorial(2) == 2 and factorial.__doc__ == "Multiply."
    assert calls_of(profiler) == {
        "factorial": 1,
        "factorial > factorial": 1,
        "factorial > factorial > factorial": 1,
    }


def test_coroutines_and_generators_are_decorated_from_their_first_step_to_their_end(profiler):
    @profiler.section("count")
    def count():
        with profiler.section("step"):
            yield 1
        yield 2

    @profiler.section("nap")
    async def nap():
        await asyncio.sleep(0)

    generator = count()
    assert calls_of(profiler) == {}
    assert list(generator) == [1, 2]
    asyncio.run(nap())
    assert inspect.isgeneratorfunction(count) and inspect.iscoroutinefunction(nap)
    assert calls_of(profiler) == {"count": 1, "count > step": 1, "nap": 1}


# ---- apart from others ----


def test_profilers_do_not_see_each_other():
    one, other = wi.Profiler(), wi.Profiler()
    with one.section("a"), other.section("b"), one.section("c"), other.section("d"):
        pass
    assert calls_of(one) == {"a": 1, "a > c": 1}
    assert calls_of(other) == {"b": 1, "b > d": 1}


def test_sections_of_the_process_are_not_the_profilers(profiler):
    with wi.section("around"), profiler.section("a"), wi.section("between"), profiler.section("b"):
        pass
    assert calls_of(profiler) == {"a": 1, "a > b": 1}


def test_a_profiler_is_not_taken_in_by_a_section_with_its_name():
    early, late = wi.Profiler(), wi.Profiler()
    with early.section("x"):
        pass
    for number in range(1, 300):
        with wi.section(f"Profiler {number}"), wi.section("x"):
            pass
    with late.section("x"):
        pass
    assert calls_of(early) == calls_of(late) == {"x": 1}


def test_a_timer_is_no_section_of_a_profiler(profiler):
    with profiler.section("a"), wi.Timer(quiet=True), profiler.section("b"):
        pass
    assert calls_of(profiler) == {"a": 1, "a > b": 1}


# ---- threads, tasks, generators ----


def run_in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_are_told_together(profiler):
    barrier = threading.Barrier(4)

    def work():
        with profiler.section("work"):
            barrier.wait(20)
            for _ in range(100):
                with profiler.section("step"):
                    pass

    run_in_threads(4, work)
    run_in_threads(1, lambda: profiler.section("later").__enter__().__exit__(None, None, None))
    assert calls_of(profiler) == {"later": 1, "work": 4, "work > step": 400}


def test_a_thread_does_not_nest_in_the_section_that_started_it(profiler):
    def work():
        with profiler.section("work"):
            pass

    with profiler.section("main"):
        run_in_threads(1, work)
    assert calls_of(profiler) == {"main": 1, "work": 1}


def test_a_hundred_tasks_do_not_mix(profiler):
    async def task(number):
        with profiler.section("task"):
            for _ in range(3):
                with profiler.section(f"kind {number % 4}"):
                    await asyncio.sleep(0)

    async def main():
        with profiler.section("main"):
            await asyncio.gather(*map(task, range(100)))

    asyncio.run(main())
    calls = calls_of(profiler)
    assert calls.pop("main") == 1
    assert calls == {"task": 100, **{f"task > kind {kind}": 75 for kind in range(4)}}


def test_a_suspended_generator_does_not_enclose_what_runs_meanwhile(profiler):
    def numbers():
        with profiler.section("numbers"):
            for number in range(3):
                with profiler.section("one"):
                    yield number

    with profiler.section("loop"):
        for _ in numbers():
            with profiler.section("body"):
                pass
    assert calls_of(profiler) == {"loop": 1, "loop > body": 3, "loop > numbers": 1, "loop > numbers > one": 3}


def test_a_generator_may_be_closed_by_another_thread(profiler):
    def numbers():
        with profiler.section("numbers"):
            yield 1

    generator = numbers()
    next(generator)
    run_in_threads(1, generator.close)
    assert line_of(profiler, "numbers").calls == 1
    assert not math.isnan(line_of(profiler, "numbers").mean)


# ---- forms ----


def test_the_report_is_printed(profiler, capsys):
    with profiler.section("epoch"), profiler.section("forward"):
        pass
    assert profiler.report() is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Profiling Report", "=" * 50]
    assert lines[2].startswith("epoch" + " " * 36 + "calls=   1 total=0.")
    assert lines[3].startswith("epoch > forward" + " " * 26 + "calls=   1 total=0.")
    assert len(lines) == 4
    assert str(profiler).splitlines() == lines


def test_the_report_goes_where_it_is_told_to(profiler, capsys):
    with profiler.section("a"):
        pass
    stream = io.StringIO()
    profiler.report("p99 errors", stream=stream, title="Mine")
    assert stream.getvalue().startswith("Mine\n") and stream.getvalue().endswith("s errors=0\n")
    assert capsys.readouterr().out == ""


def test_a_notebook_shows_a_table(profiler):
    with profiler.section("<a>"):
        pass
    assert "&lt;a&gt;" in profiler._repr_html_()


def test_the_dictionary_and_the_records_agree(profiler):
    with profiler.section("a"):
        pass
    (line,) = profiler.stats()
    # The clock's rate becomes known better with time.
    assert profiler.to_dict()["a"] == pytest.approx({name: getattr(line, name) for name in line._fields[1:-3]})


def test_a_data_frame_needs_pandas(profiler):
    pytest.importorskip("pandas")
    with profiler.section("a"):
        pass
    assert list(profiler.to_pandas()["path"]) == ["a"]


def test_a_profilers_text_shows_which_it_is(profiler):
    assert repr(profiler).startswith('<Profiler, in the record as "Profiler ')


def test_the_examples_in_the_documentation_are_true():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for example in finder.find(wi.Profiler, "Profiler", globs={}):
        runner.run(example)
    assert runner.tries and not runner.failures


# ---- reset and life ----


def test_reset_forgets_all_calls(profiler):
    with profiler.section("a"), profiler.section("b"):
        pass
    profiler.reset()
    assert profiler.stats() == []
    with profiler.section("b"):
        pass
    assert calls_of(profiler) == {"b": 1}


def test_reset_forgets_what_other_threads_measured(profiler):
    def work():
        with profiler.section("a"):
            pass

    run_in_threads(2, work)
    profiler.reset()
    assert profiler.stats() == []


def test_a_section_that_is_open_at_the_reset_counts_from_there(profiler):
    with profiler.section("a"):
        with profiler.section("b"):
            time.sleep(0.02)
            profiler.reset()
        with profiler.section("c"):
            pass
    assert calls_of(profiler) == {"a": 1, "a > b": 1, "a > c": 1}
    assert line_of(profiler, "a").total < 0.02 and line_of(profiler, "a > b").max < 0.02


def test_one_profilers_reset_leaves_the_others_alone(profiler):
    other = wi.Profiler()
    for each in (profiler, other):
        with each.section("a"):
            pass
    profiler.reset()
    assert calls_of(other) == {"a": 1}


def test_a_profiler_may_die_while_its_sections_are_open():
    profiler = wi.Profiler()
    section = profiler.section("a")
    with section:
        del profiler
        gc.collect()
    with section:
        pass


def test_a_profiler_begins_with_nothing_whoever_had_its_place():
    for number in range(300):
        profiler = wi.Profiler()
        assert profiler.stats() == []
        with profiler.section(f"{number % 7}"):
            pass
        assert calls_of(profiler) == {f"{number % 7}": 1}


def test_many_profilers_live_at_once():
    profilers = [wi.Profiler() for _ in range(200)]
    for number, profiler in enumerate(profilers):
        for _ in range(number % 3 + 1):
            with profiler.section("a"):
                pass
    assert [calls_of(profiler) for profiler in profilers[:6]] == [{"a": n} for n in (1, 2, 3, 1, 2, 3)]


def resident():
    """Bytes of memory that this process uses."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grows_by(work):
    """What the process and Python's own allocations grow by, once work() has run before."""
    work()
    gc.collect()
    tracemalloc.start()
    before, resident_before = tracemalloc.get_traced_memory()[0], resident()
    work()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before, resident() - resident_before
    tracemalloc.stop()
    return grown


def test_profilers_one_after_the_other_do_not_grow_memory():
    def work():
        for _ in range(3000):
            with wi.Profiler().section("a"):
                pass

    python, process = grows_by(work)
    assert python < 20_000 and process < 2_000_000


@pytest.mark.skipif(not sys.getallocatedblocks(), reason="tools that set PYTHONMALLOC keep freed memory")
def test_calls_do_not_grow_memory(profiler):
    def work():
        for _ in range(20_000):
            with profiler.section("a"), profiler.section("b"):
                pass

    python, process = grows_by(work)
    assert python < 20_000 and process < 2_000_000


def test_a_profiler_in_a_cycle_is_collected():
    class Mine(wi.Profiler):
        pass

    profiler = Mine()
    profiler.section_again = profiler.section("a")
    profiler.me = profiler
    with profiler.section_again:
        pass
    seen = weakref.ref(profiler)
    del profiler
    gc.collect()
    assert seen() is None


def test_a_profiler_cannot_be_pickled(profiler):
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(profiler)


@pytest.mark.parametrize("name", [3, None, b"x"])
def test_a_name_that_is_no_text_is_an_error_that_names_its_type(profiler, name):
    kind = type(name).__name__
    with pytest.raises(TypeError, match=rf"section\(\) name must be str, not {kind}"):
        profiler.section(name)


def test_arguments_that_are_not_there_are_errors(profiler):
    with pytest.raises(TypeError):
        profiler.section()
    with pytest.raises(TypeError):
        wi.Profiler(1)
    with pytest.raises(TypeError):
        wi.Profiler(name="x")
