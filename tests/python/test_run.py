"""within.run: what is logged, how the block's end becomes the run's outcome, and which run is the active one."""

import asyncio
import contextlib
import contextvars
import gc
import importlib.util
import math
import os
import pickle
import signal
import sqlite3
import sys
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

import within as wi

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("within._runs"), reason="there is no SQLite")


@pytest.fixture
def database(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
def only(database):
    """A function that gives the one run of the database, read back."""

    def only():
        (run,) = wi.runs(database)
        return run

    return only


def points(run, metric):
    steps, values, _ = run.series(metric)
    return list(zip(map(int, steps), map(float, values)))


# ---- what is logged ----


def test_a_run_is_there_with_all_that_it_was_given(database, only):
    run = wi.run("lorenz", database, params={"sigma": 10.0, "rho": 28}, tags={"kind": "chaos"})
    assert run.id is None and run.status is None and run.name == "lorenz"
    with run as same:
        assert same is run and run.status == "RUNNING" and len(run.id) == 32
        run.log_param("beta", "8/3")
        run.log_params({"dt": 0.01})
        run.set_tag("kind", "attractor")
        run.set_tags({"note": "größer\n'; DROP TABLE run"})
        run.log(0, energy=1.5, count=2)
        run.log(1, energy=-0.5)
    found = only()
    assert (found.id, found.name, found.status, found.parent) == (run.id, "lorenz", "FINISHED", None)
    assert run.status == "FINISHED" and found.error is None and found.started <= found.ended
    assert found.params == {"sigma": "10.0", "rho": "28", "beta": "8/3", "dt": "0.01"}
    assert found.tags == {"kind": "attractor", "note": "größer\n'; DROP TABLE run"}
    assert found.metrics == {"energy": -0.5, "count": 2.0}
    assert points(found, "energy") == [(0, 1.5), (1, -0.5)] and points(found, "count") == [(0, 2.0)]
    assert found.environment["python"] == sys.version.split()[0]
    assert found.environment["package.within"] == wi.__version__
    assert found.environment["package.pytest"] == pytest.__version__


def test_without_a_step_it_is_one_more_than_in_the_last_such_call(database, only):
    with wi.run("steps", database) as run:
        run.log(x=1)
        run.log(7, x=2)
        run.log(x=3, y=4)
        run.log(step=-5, y=5)
        run.log(None, y=6)
        run.log_metric("x", 7)
        run.log_metrics({"x": 8, "step": 9}, step=2**40)
        run.log()
    found = only()
    assert points(found, "x") == [(0, 1), (7, 2), (1, 3), (3, 7), (2**40, 8)]
    assert points(found, "y") == [(1, 4), (-5, 5), (2, 6)] and points(found, "step") == [(2**40, 9)]


class Tensor:
    def __init__(self, value):
        self.value = value

    def __float__(self):
        if not isinstance(self.value, float):
            raise ValueError("only one element tensors can be converted")
        return self.value


def test_values_are_numbers_of_all_kinds(database, only):
    values = [1, 2.5, True, Tensor(3.5), Decimal("0.125"), Fraction(1, 4), 2**70, math.inf, -math.inf, 5e-324, math.nan]
    with wi.run("kinds", database) as run:
        for value in values:
            run.log(x=value)
    _, logged, _ = only().series("x")
    assert list(logged[:-1]) == [1, 2.5, 1, 3.5, 0.125, 0.25, 2.0**70, math.inf, -math.inf, 5e-324] and math.isnan(logged[-1])
    assert math.isnan(only().metrics["x"])


class NumpyComplex(complex):
    """As those of NumPy are: there is a number in it, but not all of it."""

    def __float__(self):
        return self.real


@pytest.mark.parametrize("value", ["0.5", b"1", None, 1j, [1.0], Tensor([1.0, 2.0]), NumpyComplex(1, 2)], ids=repr)
def test_another_value_is_refused_by_the_metric_s_name_and_nothing_is_logged(database, only, value):
    with wi.run("wrong", database) as run:
        with pytest.raises(TypeError, match=f"metric 'loss' must be a number, not {type(value).__name__}") as raised:
            run.log(1, good=1, loss=value)
        assert raised.value.__cause__
        with pytest.raises(TypeError, match="metric 'loss'"):
            run.log_metric("loss", value)
    assert only().metrics == {}


def test_numpy_s_numbers_are_taken(database, only):
    numpy = pytest.importorskip("numpy")
    values = [numpy.float32(1.5), numpy.int8(2), numpy.bool_(True), numpy.array(2.5), numpy.float16(4)]
    with wi.run("numpy", database, params={"shape": numpy.arange(3)}) as run:
        for step, value in enumerate(values):
            run.log(numpy.int64(step), x=value)
        for value in numpy.arange(3.0), numpy.complex128(1j), numpy.str_("0.5"):
            with pytest.raises(TypeError, match="metric 'x' must be a number"):
                run.log(x=value)
    assert points(only(), "x") == [(0, 1.5), (1, 2), (2, 1), (3, 2.5), (4, 4)] and only().params == {"shape": "[0 1 2]"}


def test_params_and_tags_are_texts_of_any_objects(database, only):
    values = {"list": [1, 2], "deep": {"a": {"b": 1}}, "none": None, "path": Path("a/b"), "flag": True, "ö": 0.1}
    with wi.run("texts", database, params=values, tags=values) as run:
        with pytest.raises(TypeError, match="a name must be str, not int"):
            run.log_params({"good": 1, 2: 3})
        with pytest.raises(TypeError, match="a name must be str, not int"):
            run.set_tags({"good": 1, 2: 3})
    assert only().params == only().tags == {name: str(value) for name, value in values.items()}


def test_calls_that_make_no_sense(database, only):
    with wi.run("wrong", database) as run:
        for call in [
            lambda: run.log(1, 2, x=3),
            lambda: run.log("1", x=3),
            lambda: run.log(1.0, x=3),
            lambda: run.log(1, step=2, x=3),
            lambda: run.log_metric(3, 3),
            lambda: run.log_metrics([3]),
            lambda: run.log_param(3, 3),
        ]:
            with pytest.raises((TypeError, AttributeError)):
                call()
        with pytest.raises(OverflowError):
            run.log(2**63, x=1)
        with pytest.raises(OverflowError, match="metric 'x' is too large"):
            run.log(x=10**400)
        with pytest.raises(ValueError, match="null character"):
            run.log_metric("a\0b", 1)
        with pytest.raises(ValueError, match="empty"):
            run.log_metrics({"a": 1, "": 1})
        run.log_param("p", 1)
        run.log_param("p", 1)
        with pytest.raises(ValueError, match="p"):
            run.log_param("p", 2)
    assert only().metrics == {} and only().params == {"p": "1"}


def test_names_are_any_texts(database, only):
    names = ["loss/train", "η ", "'; DROP TABLE series; --", "step", "a" * 500, "%s%n", "🜚"]
    with wi.run("names'\"%s", database) as run:
        run.log_metrics({name: i for i, name in enumerate(names)}, 3)
        run.log(3, **{"not an identifier": 1, **{f"m{i}": i for i in range(40)}})
    assert list(only().metrics)[: len(names)] == names and only().metrics["m39"] == 39
    assert only().name == "names'\"%s" and only().metrics[names[2]] == 2


def test_a_name_that_is_made_at_each_call_is_the_same_metric(database, only):
    with wi.run("names", database) as run:
        for i in range(100):
            run.log(i, **{"".join(["lo", "ss"]): i})
    assert points(only(), "loss") == [(i, i) for i in range(100)]


def test_threads_log_into_one_run(database, only):
    def log(number):
        for i in range(5000):
            run.log(i, **{f"m{number % 2}": number, "all": i})

    with wi.run("threads", database) as run:
        threads = [threading.Thread(target=log, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    steps, values, _ = only().series("m1")
    for number in 1, 3:
        assert [step for step, value in zip(steps, values) if value == number] == list(range(5000))
    assert len(only().series("all").steps) == 20000


# ---- artifacts ----


class Figure:
    """Of Matplotlib, as far as it matters."""

    def savefig(self, path, **options):
        Path(path).write_text(f"{Path(path).suffix} {options}")


class Plot:
    """Of Plotly."""

    def write_html(self, path):
        Path(path).write_text("<html>")

    def write_image(self, path):
        Path(path).write_text("image")


def test_artifacts_are_copied(database, tmp_path):
    (tmp_path / "model.bin").write_bytes(b"\0\1")
    (tmp_path / "logs/deep").mkdir(parents=True)
    (tmp_path / "logs/a.txt").write_text("a")
    (tmp_path / "logs/deep/b.txt").write_text("b")
    with wi.run("artifacts", database) as run:
        run.log_artifact(tmp_path / "model.bin")
        run.log_artifact(str(tmp_path / "model.bin"), "models/first.bin")
        run.log_artifact(tmp_path / "logs")
        run.log_text("größer", "notes/readme.md")
        run.log_figure(Figure(), "plots/loss.png", dpi=50)
        run.log_figure(Plot(), "plots/loss.html")
        run.log_figure(Plot(), "plots/loss.svg")
        with pytest.raises(TypeError, match="Matplotlib or Plotly is wanted, not int"):
            run.log_figure(3, "plots/3.png")
        with pytest.raises(FileNotFoundError):
            run.log_artifact(tmp_path / "missing")
        with pytest.raises(ValueError):
            run.log_text("out", "../../out")
    folder = Path(f"{database}.artifacts") / run.id
    texts = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert texts == {
        "model.bin": b"\0\1",
        "models/first.bin": b"\0\1",
        "logs/a.txt": b"a",
        "logs/deep/b.txt": b"b",
        "notes/readme.md": "größer".encode(),
        "plots/loss.png": b".png {'dpi': 50}",
        "plots/loss.html": b"<html>",
        "plots/loss.svg": b"image",
    }


# ---- outcomes ----


@pytest.mark.parametrize(
    "error, status",
    [
        (ValueError("energy -1 J is negative"), "FAILED"),
        (SystemExit(0), "FINISHED"),
        (SystemExit(), "FINISHED"),
        (SystemExit(3), "FAILED"),
        (SystemExit("no data"), "FAILED"),
        (KeyboardInterrupt(), "INTERRUPTED"),
        (GeneratorExit(), "FAILED"),
    ],
    ids=repr,
)
def test_the_block_s_end_is_the_outcome(database, only, error, status):
    run = wi.run("ending", database)
    with pytest.raises(type(error)), run:
        raise error
    found = only()
    assert found.status == run.status == status
    if status == "FAILED":
        assert found.error.startswith(f"{type(error).__name__}")
        assert str(error) in found.error and "test_run.py" in found.error and "raise error" in found.error


def test_an_error_of_any_text_ends_the_run_and_goes_on(database, only):
    class Falsy(Exception):
        def __bool__(self):
            return False

    with pytest.raises(Falsy), wi.run("ending", database):
        raise Falsy("a file \udcff, and \0")
    assert only().status == "FAILED" and "Falsy: a file \\udcff, and \\0" in only().error


def test_an_interrupt_amid_the_exit_does_not_keep_the_run_from_ending(database, only, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt), wi.run("ending", database) as run:
        monkeypatch.setattr("within._environment_rows.rows", interrupted)
    assert only().status == run.status == "FINISHED" and wi.active_run() is None


def test_a_signal_s_exception_interrupts_the_run(database, only):
    with pytest.raises(wi.Interrupted), wi.interrupts("SIGUSR1"), wi.run("ending", database):
        signal.raise_signal(signal.SIGUSR1)
    assert only().status == "INTERRUPTED"
    conn = sqlite3.connect(database)
    assert "USR1" in str(conn.execute("SELECT signal FROM run").fetchone()[0])
    conn.close()


def test_a_return_finishes_and_a_decorator_makes_each_call_a_run(database):
    @wi.run("square", database, tags={"kind": "call"})
    def square(x):
        wi.active_run().log(x=x)
        return x * x

    assert [square(2), square(3)] == [4, 9]
    with pytest.raises(TypeError):
        square(None)
    found = wi.runs(database, name="square")
    assert [run.status for run in found] == ["FINISHED", "FINISHED", "FAILED"]
    assert [run.metrics for run in found] == [{"x": 2}, {"x": 3}, {}] and found[2].tags == {"kind": "call"}


def test_nothing_is_logged_outside_of_the_block(database):
    run = wi.run("over", database)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="over is not open"):
            run.log(x=1)
        with pytest.raises(RuntimeError, match="over is not open"):
            run.log_param("x", 1)
        with pytest.raises(RuntimeError, match="over is not open"):
            run.log_text("x", "x")
        if run.id is None:
            with run:
                pass
    with pytest.raises(RuntimeError, match="begun already"), run:
        pass


def test_a_run_that_nobody_ends_has_failed_at_the_program_s_end(python, only):
    python("import within as wi; wi.run('forgotten', 'runs.db').__enter__().log(x=1)")
    assert only().status == "FAILED" and "left before its end" in only().error and only().metrics == {"x": 1}


def test_one_that_is_dropped_amid_its_begin_has_failed(database, only):
    from within import _runs

    run = _runs.Run("dropped", database, None, 0)
    run._begin(None)
    del run
    assert only().status == "FAILED" and "never ended" in only().error


def test_a_run_may_begin_and_end_in_other_calls_as_in_cells_of_a_notebook(database, only):
    blocks = contextlib.ExitStack()
    contextvars.copy_context().run(lambda: blocks.enter_context(wi.run("cells", database)))
    contextvars.copy_context().run(lambda: wi.active_run().log(x=1))
    contextvars.copy_context().run(blocks.close)
    assert only().status == "FINISHED" and only().metrics == {"x": 1} and wi.active_run() is None


def test_params_that_will_not_do_fail_the_run(database, only):
    with pytest.raises(TypeError), wi.run("wrong", database, params={1: 2}):
        pass
    assert only().status == "FAILED" and wi.active_run() is None


def test_a_run_goes_on(database, only):
    with wi.run("long", database) as run:
        run.log(x=1)
        run.log(x=2)
    with wi.run("long", database, resume=run.id[:8]) as again:
        assert again.id == run.id and only().status == "RUNNING"
        again.log(x=3)
    assert points(only(), "x") == [(0, 1), (1, 2), (2, 3)] and only().status == "FINISHED"
    with pytest.raises(ValueError), wi.run("long", database, resume="none"):
        pass


def test_what_is_no_database_of_runs_is_left_alone(tmp_path):
    (tmp_path / "text").write_text("no database at all, but longer than a header of one is" * 20)
    with pytest.raises(wi.DataError), wi.run("x", tmp_path / "text"):
        pass
    with pytest.raises(FileNotFoundError):
        wi.runs(tmp_path / "missing")
    with pytest.raises(FileNotFoundError), wi.run("x", tmp_path / "missing/runs.db"):
        pass
    assert wi.active_run() is None and [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_database_that_is_locked_is_sqlite3_s_error_after_the_timeout(database, only):
    with wi.run("first", database):
        pass
    conn = sqlite3.connect(database, isolation_level=None)
    conn.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"), wi.run("second", database, timeout=0.05):
        pass
    conn.close()
    assert only().name == "first"
    for timeout in -1, math.nan:
        with pytest.raises(ValueError, match="no time to wait"):
            wi.run("third", database, timeout=timeout)


# ---- active runs ----


def test_inner_runs_are_children_of_the_innermost(database):
    assert wi.active_run() is None
    with wi.run("outer", database) as outer:
        assert wi.active_run() is outer
        with wi.run("inner", database) as inner, wi.run("leaf", database) as leaf:
            assert wi.active_run() is leaf
        assert wi.active_run() is outer
        with wi.run("second", database):
            pass
    assert wi.active_run() is None
    parents = {run.name: run.parent for run in wi.runs(database)}
    assert parents == {"outer": None, "inner": outer.id, "leaf": inner.id, "second": outer.id}


def test_tasks_have_runs_of_their_own(database):
    async def train(number, both):
        with wi.run(f"task {number}", database) as run:
            await both.wait()
            assert wi.active_run() is run
            await asyncio.sleep(0.01 * number)

    async def main():
        both = asyncio.Event()
        with wi.run("sweep", database):
            tasks = [asyncio.create_task(train(number, both)) for number in range(2)]
            await asyncio.sleep(0)
            both.set()
            await asyncio.gather(*tasks)

    asyncio.run(main())
    found = {run.name: run for run in wi.runs(database)}
    assert found["task 0"].parent == found["task 1"].parent == found["sweep"].id


def test_a_thread_finds_the_newest_and_its_runs_are_nobody_s_children(database):
    seen = []

    def work():
        seen.append(wi.active_run())
        with wi.run("worker", database) as run:
            seen.append(wi.active_run())
            seen.append(run)

    with wi.run("main", database) as main:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen[0] is main and seen[1] is seen[2] is not main
    assert [run.parent for run in wi.runs(database)] == [None, None]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_leaves_the_run_to_its_parent_and_has_its_own(database):
    with wi.run("forked", database) as run:
        run.log(x=1)
        pid = os.fork()
        if pid == 0:
            status = 0
            try:
                for call in lambda: run.log(x=9), lambda: run.log_param("x", 9), lambda: run.log(y=9):
                    with pytest.raises(RuntimeError, match="forked|not open"):
                        call()
                assert wi.active_run() is None
                run.__exit__(None, None, None)
                with wi.run("child", database) as child:
                    child.log(z=1)
            except BaseException:
                import traceback

                traceback.print_exc()
                status = 1
            os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        run.log(x=2)
    (forked,), (child,) = wi.runs(database, name="forked"), wi.runs(database, name="child")
    assert forked.status == "FINISHED" and points(forked, "x") == [(0, 1), (1, 2)] and forked.params == {}
    assert child.status == "FINISHED" and child.metrics == {"z": 1} and child.parent is None


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_that_ends_like_a_program_says_nothing(python, only):
    program = """
import os, sys, warnings, within as wi
warnings.simplefilter("ignore")  # of forks beside other threads
run = wi.run("forked", "runs.db").__enter__()
pid = os.fork()
if pid == 0:
    sys.exit()
assert os.waitpid(pid, 0)[1] == 0
run.__exit__(None, None, None)
"""
    assert python(program).stderr == "" and only().status == "FINISHED"


def test_a_run_stays_in_its_process(database):
    with wi.run("mine", database) as run:
        with pytest.raises(TypeError, match="run 'mine' cannot be pickled.*a run of its own"):
            pickle.dumps(run)


WORKERS = """
import multiprocessing, sys
import within as wi

def work(number):
    with wi.run(f"worker {number}", "runs.db") as run:
        run.log(number=number)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with wi.run("main", "runs.db") as run:
        with context.Pool(2) as pool:
            pool.map(work, range(2))
    print(sorted((run.name, run.status, *run.metrics.values()) for run in wi.runs("runs.db")))
"""


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_workers_amid_a_run_begin_their_own(tmp_path, python, method):
    (tmp_path / "program.py").write_text(WORKERS)
    execute = "import os, sys; os.execv(sys.executable, [sys.executable, 'program.py', sys.argv[1]])"
    found = "[('main', 'FINISHED'), ('worker 0', 'FINISHED', 0.0), ('worker 1', 'FINISHED', 1.0)]"
    assert python(execute, method).stdout.splitlines() == [found]


# ---- what it costs ----


def test_importing_the_package_loads_no_sqlite(python):
    python(
        """
import sys, within
assert within.active_run() is None
loaded = [name for name in sys.modules if "runs" in name or "sqlite" in name or "contextvars" in name]
assert not loaded, loaded
assert "sqlite" not in open("/proc/self/maps").read()
"""
    )


def test_the_default_database_is_the_environment_s(python, tmp_path):
    program = "import within as wi\nwith wi.run('x'): pass\nprint(len(wi.runs()))"
    assert python(program).stdout == "1\n" and (tmp_path / "runs.db").exists()
    assert python(program, WITHIN_DATABASE=tmp_path / "other.db").stdout == "1\n"
    assert (tmp_path / "other.db").exists() and len(wi.runs(tmp_path / "runs.db")) == 1


def test_a_call_leaves_nothing_behind(database, lost_references):
    with wi.run("references", database) as run:
        tensor = Tensor(0.5)

        def use():
            run.log(x=0.25, y=1)
            run.log(3, x=tensor)
            run.log_metric("x", 0.5)
            run._log_named(3, ("x", "y"), (0.5, 1), 4)
            for wrong in "no", 1j, 10**400:
                try:
                    run.log(x=wrong)
                except (TypeError, OverflowError):
                    pass

        assert lost_references(use, 1000) < 0.1


def test_errors_leave_nothing_behind(database, lost_references):
    conn = sqlite3.connect(database, isolation_level=None)
    with wi.run("references", database, params={"p": 1}) as run, contextlib.closing(conn):
        conn.execute("BEGIN IMMEDIATE")

        def use():
            for call in [
                lambda: wi.run("second", database, timeout=0).__enter__(),
                lambda: run.log_param("p", 2),
                lambda: run.log_text("text", ".."),
                lambda: run.log_artifact("/missing", "name"),
                lambda: run._log_named(0, ("x",), (1,)),
                lambda: run._log_named(0, ("x",), (1,), 0.5),
                lambda: wi.run("\0", database),
            ]:
                with contextlib.suppress(sqlite3.OperationalError, ValueError, OSError, TypeError):
                    call()
                    raise AssertionError("nothing was raised")

        lost_references(use, 100, before=50, noise=1)  # what the interpreter keeps for later is there then
        assert lost_references(use, 150, before=0, noise=0.5) < 0.5


def test_runs_leave_nothing_behind(database):
    def use(times):
        for _ in range(times):
            with wi.run("references", database) as run:
                run.log(x=0.25)
        gc.collect()
        return sys.getallocatedblocks()

    before = use(5)
    assert use(5) - before < 50  # a list or a dict of each run would be more
