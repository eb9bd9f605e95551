"""Profilers in the process's record: what within run shows, what kill -9 leaves, what forks inherit."""

import csv
import io
import json
import signal
import subprocess
import sys
import textwrap

import pytest


def run(program, *command, **options):
    """Run a Python program, after a command if there is one."""
    # Without warnings: a program forks while it has threads, which is what it tests.
    arguments = [*command, sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, **options)


def within(*arguments):
    return [sys.executable, "-m", "within", *arguments]


def output_of(program):
    """What a program that must succeed prints."""
    done = run(program)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def rows_in(record):
    """The lines of a record's report, by path."""
    table = subprocess.run(within("report", "--csv", record), capture_output=True, text=True, check=True).stdout
    return {row["path"]: row for row in csv.DictReader(io.StringIO(table))}


def calls_in(record):
    """How often each path of a record was entered."""
    return {path: int(row["calls"]) for path, row in rows_in(record).items()}


MEASURES = """
    import within as wi
    one, other = wi.Profiler(), wi.Profiler()
    with wi.section("all"):
        for _ in range(3):
            with one.section("epoch"), one.section("forward"), other.section("load"):
                pass
"""


@pytest.mark.parametrize("end", ["", "del one, other", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_the_record_has_each_profilers_sections_below_its_number(tmp_path, end):
    record = tmp_path / "run.within"
    done = run(MEASURES + "    " + end, *within("run", "--no-report", "--record", record))
    assert done.returncode in (0, 128 + signal.SIGKILL), done.stderr
    calls = calls_in(record)
    assert {path: calls[path] for path in calls if calls[path] == 3} == {
        "Profiler 1 > epoch": 3,
        "Profiler 1 > epoch > forward": 3,
        "Profiler 2 > load": 3,
    }
    assert sorted(path for path in calls if calls[path] != 3) == ["Profiler 1", "Profiler 2", "all"]


def test_what_was_open_when_the_process_was_killed_is_told(tmp_path):
    record = tmp_path / "run.within"
    run(
        """
        import os, signal, within as wi
        profiler = wi.Profiler()
        with profiler.section("fit"), profiler.section("step"):
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        *within("run", "--no-report", "--record", record),
    )
    report = subprocess.run(within("report", record), capture_output=True, text=True, check=True).stdout
    assert "fit (open)" in report and "step (open)" in report


def test_after_a_clean_end_no_profiler_is_open(tmp_path):
    record = tmp_path / "run.within"
    run(MEASURES, *within("run", "--no-report", "--record", record))
    report = subprocess.run(within("report", record), capture_output=True, text=True, check=True).stdout
    assert "(open" not in report


def test_the_interpreter_ends_with_open_sections_and_loops():
    assert output_of(
        """
        import within as wi
        profiler = wi.Profiler()
        loop = profiler.iterate("batch", range(3))
        next(loop)
        section = profiler.section("open")
        section.__enter__()
        def numbers():
            with profiler.section("numbers"):
                yield 1
        generator = numbers()
        next(generator)
        print("done")
        """
    ) == "done\n"


def test_a_forked_child_starts_anew_and_leaves_the_parent_alone():
    assert output_of(
        """
        import os, sys, within as wi
        profiler = wi.Profiler()
        def calls():
            return {line.path: line.calls for line in profiler.stats()}
        for _ in range(3):
            with profiler.section("before"):
                pass
        with profiler.section("around"):
            pid = os.fork()
            with profiler.section("inside"):
                pass
            if pid == 0:
                print("child", calls(), flush=True)
                with wi.Profiler().section("own"):
                    os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        print("parent", calls())
        """
    ).splitlines() == [
        "child {'around': 1, 'around > inside': 1}",
        "parent {'around': 1, 'around > inside': 1, 'before': 3}",
    ]


def test_a_forked_child_goes_on_in_threads():
    assert output_of(
        """
        import os, threading, within as wi
        profiler = wi.Profiler()
        def work():
            with profiler.section("work"):
                pass
        def in_threads():
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        in_threads()
        pid = os.fork()
        if pid == 0:
            in_threads()
            print([(line.path, line.calls) for line in profiler.stats()], flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        """
    ) == "[('work', 3)]\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_measure_for_themselves(method, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import multiprocessing
            import within as wi
            profiler = wi.Profiler()

            def work(number):
                with profiler.section("work"):
                    pass
                return number + 1

            if __name__ == "__main__":
                with profiler.section("main"):
                    with multiprocessing.get_context({method!r}).Pool(2) as pool:
                        print(pool.map(work, range(4)))
                print([(line.path, line.calls) for line in profiler.stats()])
            """
        )
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[1, 2, 3, 4]\n[('main', 1)]\n", done.stderr


@pytest.mark.skipif(not sys.getallocatedblocks(), reason="tools that set PYTHONMALLOC keep freed memory")
def test_short_threads_do_not_grow_memory():
    assert output_of(
        """
        import os, threading, within as wi
        profiler = wi.Profiler()
        def work():
            with profiler.section("work"):
                pass
        def run(count):
            for _ in range(count):
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        run(200)
        before = resident()
        run(2000)
        print(resident() - before < 2_000_000, profiler.stats()[0].calls)
        """
    ) == "True 2200\n"


def test_importing_within_imports_nothing_that_is_slow():
    loaded = output_of(
        """
        import sys
        before = set(sys.modules)
        import within
        print(*sorted(set(sys.modules) - before))
        """
    ).split()
    slow = {"inspect", "typing", "dataclasses", "re", "asyncio", "html", "importlib.util", "json"}
    assert not slow & set(loaded)
    assert "within._within" in loaded


def test_timers_are_sections_of_the_record(tmp_path):
    path = tmp_path / "run.within"
    run(
        """
        import contextlib, within as wi
        with wi.section("fit"), wi.Timer("SVD", quiet=True), wi.section("inner"):
            pass
        with contextlib.suppress(KeyError), wi.Timer("SVD", quiet=True):
            raise KeyError
        @wi.Timer("solve", quiet=True)
        def solve(n):
            return n and solve(n - 1)
        solve(1)
        """,
        *within("run", "--no-report", "--record", path),
    )
    figures = {path: (int(row["calls"]), int(row["errors"])) for path, row in rows_in(path).items()}
    assert figures == {
        "fit": (1, 0),
        "fit > SVD": (1, 0),
        "fit > SVD > inner": (1, 0),
        "SVD": (1, 1),
        "solve": (1, 0),
        "solve > solve": (1, 0),
    }


def test_where_the_record_has_no_room_profilers_are_not_mixed_with_others(tmp_path):
    record = tmp_path / "run.within"
    done = run(
        """
        import within as wi
        early = wi.Profiler()
        with early.section("a"):
            pass
        for number in range(66_000):
            with wi.section(f"s{number}"):
                pass
        late = wi.Profiler()
        with late.section("s1") as outer, late.section("inner"), wi.section("s2"), late.section("s3"):
            pass
        with early.section("a"), early.section("new"):
            pass
        print(late.stats(), [(line.path, line.calls) for line in early.stats()], 0 < outer.elapsed < 1)
        """,
        *within("run", "--no-report", "--record", record),
    )
    assert (done.stdout, done.stderr) == ("[] [('a', 2)] True\n", "")
    calls = calls_in(record)
    assert [calls[path] for path in ("s1", "s2", "s3")] == [1, 2, 1]
    report = subprocess.run(within("report", "--json", record), capture_output=True, text=True, check=True).stdout
    assert json.loads(report)["dropped"] == 3
