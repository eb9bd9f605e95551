"""Every public name of the package, used as its types say: mypy --strict has nothing to add (tests/py/test_types.py)."""

import asyncio
import importlib.util
import io
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import within as wi
import within.contextlib as contextlib

# ---- sections ----


@wi.section("load")
def load(count: int) -> list[float]:
    return [0.5 * i for i in range(count)]


@wi.section("pairs")
def pairs(items: list[float]) -> Iterator[tuple[float, float]]:
    yield from zip(items, items[1:])


@wi.section("download")
async def download(part: int) -> str:
    await asyncio.sleep(0)
    return f"part {part}"


def sections() -> float:
    with wi.section("epoch") as epoch:
        total: float = sum(left * right for left, right in pairs(load(10)))
        part: str = asyncio.run(download(3))
    name: str = epoch.name
    seconds: float = epoch.elapsed
    assert name == "epoch" and seconds > 0 and part == "part 3"
    return total


# ---- timers ----


@wi.Timer("work", quiet=True)
def work(a: int, *, b: int) -> int:
    return a + b


def timers() -> None:
    out = io.StringIO()
    with wi.Timer("SVD", stream=out) as timer:
        so_far: float = timer.elapsed
    label: str = timer.label
    quiet: bool = timer.quiet
    assert so_far < timer.elapsed and label == "SVD" and not quiet and timer.stream is out
    assert out.getvalue().startswith("SVD: 0.")
    assert work(1, b=2) == 3


# ---- scratch directories ----


def scratch() -> None:
    manager = wi.tempdir("fft", parent=Path("/tmp"), keep_on_error=True)
    before: str | None = manager.path
    with manager as path:
        text: str = path
        assert before is None and Path(text).is_dir()
    assert not Path(path).exists()


# ---- floating point ----


def floating_point() -> None:
    one, three = 1.0, 3.0
    with wi.rounding("upward") as rounding, wi.flush_denormals(True) as flushing:
        high: float = one / three
        same: wi.rounding = rounding
        other: wi.flush_denormals = flushing
    try:
        with wi.fp_guard("invalid", "overflow"), wi.fp_guard("divide", trap=False) as guard:
            different: wi.fp_guard = guard
            float("inf") - float("inf")
    except FloatingPointError as error:
        assert str(error) == "fp_guard: invalid operation in this block"
    assert high > one / three and same is rounding and other is flushing and different is guard


# ---- redirected output ----


@wi.redirect_output(os.devnull, stderr=False)
def chat(count: int) -> int:
    print("-" * count)
    return count


def redirected(folder: Path) -> None:
    with wi.redirect_output() as output:
        print("caught")
        so_far: bytes = output.bytes
    with wi.redirect_output(folder / "log", tee=False, append=True), open(folder / "other", "w") as file:
        print("into the log")
        with wi.redirect_output(file, stdout=False), wi.redirect_output(1, stdout=False):
            os.write(2, b"into the log too\n")
    text: str = output.text
    count: int = chat(3)
    assert so_far == b"caught\n" and text == "caught\n" and count == 3
    assert (folder / "log").read_text() == "into the log\ninto the log too\n"


# ---- state of the process ----


@wi.environment({"SOLVER": "fast", "DEBUG": None})
def solver() -> str:
    return os.environ["SOLVER"]


@wi.threads(2)
def decompose(size: int) -> int:
    return size


def process_state() -> None:
    with wi.environment({b"SOLVER": b"slow"}, FOLDER=Path("/tmp")), wi.environment(), wi.threads(1):
        assert os.environ["SOLVER"] == "slow" and os.environ["FOLDER"] == "/tmp"
    with wi.workdir(Path("/")) as path:
        text: str = path
    name: str = solver()
    size: int = decompose(3)
    assert (text, name, size) == ("/", "fast", 3)


# ---- CSV logs ----


def csv_logs() -> None:
    with wi.tempdir() as folder:
        path = Path(folder, "ber.csv")
        with wi.csv_log(path, "snr,ber", fresh=True, sync_every=10) as log:
            log.row(1, 0.5)
            log.row(snr=Path("a"), ber=None)
            log.truncate(2)
            log.sync()
            counts: tuple[int, int] = log.rows, log.cut
        with wi.csv_log(str(path), {"snr": int, "ber": float}), wi.csv_log(path, ["snr", ("ber", float)]) as other:
            columns: tuple[str, ...] = other.columns
        assert counts == (2, 0) and columns == ("snr", "ber") and other.path == str(path)


# ---- checkpoints ----


def saved() -> None:
    with wi.tempdir() as folder, wi.checkpoints(folder, keep=None, best=("accuracy", "max"), suffix=".txt") as series:
        with series.save(step=3, accuracy=0.5, metrics={"loss": 1}) as path:
            written: Path = path
            written.write_text("state")
        newest: wi.Checkpoint | None = series.latest()
        assert newest is not None and series.best("loss", mode="min") == newest == series.list()[0]
        loss: float = newest.metrics["loss"]
        step: int = newest.step
        passed: list[tuple[str, str]] = series.passed_over
        assert loss == 1 and step == 3 and not passed and newest.path.read_text() == "state"


# ---- interrupts ----


def interrupted() -> None:
    try:
        with wi.interrupts("SIGUSR1", signal.SIGUSR2, grace=30) as stop:
            with wi.uninterrupted():
                came: signal.Signals | None = stop.signal
                left: float = stop.grace_left
            assert came is None and left == 30
            signal.raise_signal(signal.SIGUSR1)
    except wi.Interrupted as error:
        which: signal.Signals = error.signal
        when: float = error.time + error.grace_left
        assert which is signal.SIGUSR1 and when > 0


# ---- profilers ----


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        yield number


async def consume(profiler: wi.Profiler) -> int:
    total = 0
    async for number in profiler.iterate("number", numbers()):
        total += number
    return total


@contextlib.contextmanager
def fresh(profiler: wi.Profiler) -> Iterator[wi.Profiler]:
    yield profiler
    profiler.reset()


def profilers() -> None:
    out = io.StringIO()
    with fresh(wi.Profiler()) as profiler:
        for batch in profiler.iterate("batch", [[1.0], [2.0]]):
            with profiler.section("forward", gpu=True) as forward:
                first: float = batch[0]
        assert first == 2.0 and forward.elapsed > 0
        assert asyncio.run(consume(profiler)) == 3
        profiler.report("all", stream=out, title="Training")
        profiler.report(["p99", "self", "gpu", "gpu_delta", "gpu_peak"], out)
        stats: list[wi.SectionStats] = profiler.stats()
        slowest: wi.SectionStats = max(stats, key=lambda line: line.total)
        calls: int = slowest.calls
        figures: list[float] = [slowest.self, slowest.mean, slowest.std, slowest.min, slowest.p50, slowest.p99]
        as_json: str = json.dumps(profiler.to_dict())
        html: str = profiler._repr_html_()
    on_gpu: list[float | None] = [slowest.gpu, slowest.gpu_delta, slowest.gpu_peak]
    assert calls and len(figures) == 6 and len(on_gpu) == 3 and slowest.max > 0 and slowest.errors == 0
    assert slowest.path in as_json and "<table" in html and out.getvalue().startswith("Training")
    assert profiler.stats() == []


def frame(profiler: wi.Profiler) -> int:
    return len(profiler.to_pandas())


# ---- files ----


def files(folder: Path) -> None:
    with wi.atomic_file(folder / "text", encoding="utf-8", newline="\n") as text:
        lines: io.TextIOWrapper = text
        print("snr,ber", file=lines)
    with wi.atomic_file(str(folder / "bytes"), "wb", size=4096, sync=False) as written:
        count: int = written.write(b"snr,ber")
    with wi.atomic_file(bytes(folder / "both"), "x+b") as both:
        both.write(b"snr,ber")
        both.seek(0)
        content: bytes = both.read()
    with wi.atomic_path(folder / "made", sync=False) as temporary:
        path: str = temporary
        Path(path).touch()
    assert content == b"snr,ber" and count == 7 and len(list(folder.iterdir())) == 4


# ---- memory ----


def gpu_memory() -> None:
    with wi.track_gpu_memory("cuda:0", "Forward pass", quiet=True) as tracked:
        pass
    peak: int | None = tracked.peak
    source: str | None = tracked.source
    assert (peak is None) or (source is not None)
    with wi.track_gpu_memory(0, stream=sys.stderr):
        pass
    with wi.section("forward", gpu=True) as forward:
        assert forward.name == "forward"


# ---- within.contextlib ----


class Manager(contextlib.ContextDecorator, contextlib.AbstractContextManager["Manager"]):
    def __exit__(self, *error: object) -> None:
        return None


class AsyncManager(contextlib.AsyncContextDecorator, contextlib.AbstractAsyncContextManager["AsyncManager"]):
    async def __aexit__(self, *error: object) -> None:
        return None

    async def aclose(self) -> None:
        return None


@Manager()
def decorated(text: str) -> str:
    return text


@AsyncManager()
async def async_decorated(text: str) -> str:
    return text


@contextlib.asynccontextmanager
async def connection(name: str) -> AsyncIterator[str]:
    yield name.upper()


async def async_managers() -> list[str]:
    async with contextlib.AsyncExitStack() as stack:
        name: str = await stack.enter_async_context(connection("a"))
        await stack.enter_async_context(contextlib.aclosing(AsyncManager()))
        return [name, await async_decorated("b")]


def managers() -> None:
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        buffer: io.StringIO = stack.enter_context(contextlib.closing(io.StringIO()))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(errors))
        nothing: None = stack.enter_context(contextlib.nullcontext())
        stack.callback(print, "last in, first out")
        if sys.version_info >= (3, 11):
            stack.enter_context(contextlib.chdir(Path.cwd()))
        print(decorated("printed"))
    assert buffer.closed and nothing is None and out.getvalue() == "printed\nlast in, first out\n"
    with contextlib.suppress(KeyError):
        raise KeyError
    assert asyncio.run(async_managers()) == ["A", "b"]


# ---- databases ----


def transactions() -> None:
    conn = sqlite3.connect(":memory:")
    with wi.transaction(conn) as same, wi.transaction(conn, timeout=0.5):
        rows: list[tuple[int]] = same.execute("SELECT 1").fetchall()
    conn.close()
    assert rows == [(1,)]


# ---- runs ----


def runs(folder: Path) -> None:
    with wi.run("lorenz", folder / "runs.db", params={"sigma": 10.0}, tags=None, resume=None, timeout=60) as run:
        name: str = run.name
        id: str | None = run.id
        run.log(energy=1.5, count=2)
        run.log(3, energy=True)
        run.log_metric("loss/train", 0.5, step=3)
        run.log_metrics({"a": 1, "b": 2.5}, 4)
        run.log_param("rho", 28)
        run.log_params({"beta": "8/3"})
        run.set_tag("kind", "chaos")
        run.set_tags({"n": 1})
        run.log_text("text", "notes/a.txt")
        run.log_artifact(folder / "runs.db", name="copy.db")

    @wi.run("square", folder / "runs.db", tags={"kind": "call"})
    def square(x: int) -> int:
        inner = wi.active_run()
        assert inner is not None
        inner.log(x=x)
        return x * x

    assert square(3) == 9
    found = wi.runs(folder / "runs.db", name=name)
    table: str = found._repr_html_()
    assert "FINISHED" in table
    stored = found[0]
    values: list[float] = list(stored.series("energy").values)
    texts: dict[str, str] = {**stored.params, **stored.tags, **stored.environment}
    last: float = stored.metrics["energy"]
    assert run.status == stored.status == "FINISHED" and stored.id == id and values == [1.5, 1.0] and last == 1.0
    assert texts["rho"] == "28" and stored.parent is None and stored.error is None
    assert stored.ended is not None and stored.started <= stored.ended


def as_in_mlflow(folder: Path) -> None:
    import within.tracking as mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    with mlflow.start_run(run_name="first", tags={"team": "physics"}) as run:
        rate: float = mlflow.log_param("rate", 0.5)
        mlflow.log_metric("loss", rate, step=1)
    id: str = run.info.run_id
    metrics: dict[str, float] = mlflow.get_run(id).data.metrics
    runs = mlflow.search_runs(filter_string="metrics.loss < 1", output_format="list")
    assert metrics == {"loss": 0.5} and [each.info.run_id for each in runs] == [id]


# ---- seeds ----


@wi.temporary_seed(42)
def noise(count: int) -> list[float]:
    return [random.random() for _ in range(count)]


def seeds() -> None:
    first: list[float] = noise(3)
    with wi.temporary_seed(42) as rng, wi.temporary_seed(0):
        assert noise(3) == first
        assert rng is None or rng.random() < 1


# ---- building against the package ----


def folders() -> list[Path]:
    return [Path(wi.get_include()) / "within.h", Path(wi.get_library_dir()) / "libwithin.so.0"]


def errors() -> str:
    try:
        raise wi.DataError("a.ckpt: one bit is wrong")
    except ValueError as error:
        return str(error)


def hdf5_files(folder: Path) -> None:
    with wi.h5_file(folder / "run.h5", "w", sync=False, track_order=True) as file:
        file["x"] = 1
    with wi.h5_file(os.fspath(folder / "run.h5")) as file:
        assert list(file) == ["x"]
    shapes: dict[str, tuple[int, ...]] = wi.h5_recover(folder / "run.h5", folder / "copy.h5")
    assert shapes == {"x": ()}


def memory() -> None:
    with wi.track_memory("load", quiet=True, stream=None) as used:
        pass
    figures: list[int | None] = [used.before, used.current, used.delta, used.peak, used.blocks, used.tracked]
    assert used.peak_is_exact or figures


def watched() -> list[str]:
    with wi.watch("load", "epoch > step", explain=True, quiet=True) as watch:
        sections()
    leaks: list[wi.Leak] = watch.leaks
    lines: list[str] = [line for leak in leaks for line in leak.explanation]
    return lines + [leak.section for leak in leaks if not leak.is_suspicion and (leak.seconds_left or 0) > 60]


def main() -> None:
    errors()
    sections()
    timers()
    scratch()
    floating_point()
    process_state()
    csv_logs()
    saved()
    interrupted()
    profilers()
    managers()
    with tempfile.TemporaryDirectory() as folder:
        files(Path(folder))
        redirected(Path(folder))
        if importlib.util.find_spec("h5py"):
            hdf5_files(Path(folder))
        if importlib.util.find_spec("within._runs"):
            runs(Path(folder))
            as_in_mlflow(Path(folder))
    gpu_memory()
    memory()
    watched()
    transactions()
    seeds()
    assert all(path.exists() for path in folders())


if __name__ == "__main__":
    main()
