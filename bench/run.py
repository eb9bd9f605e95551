"""run.log against nothing, against what people write by hand, and against MLflow's own client on its SQLite store.

What is safe when is not the same on both sides. When run.log returns, the point survives kill -9; when it is in the
database, which has a WAL and synchronous NORMAL, a power cut takes the newest commits at most. MLflow leaves SQLite's
defaults, a rollback journal and synchronous FULL: when log_metric returns, its one point survives a power cut too, and
costs what a disk needs for that. So each row with MLflow is there a second time in /dev/shm, where nobody waits for a
disk; and beside what MLflow has for those in a hurry: log_batch of its limit of 1,000, and calls that do not wait.

MLflow's rows are there where it is importable. The program is not pinned to a core: the thread that brings points into
the database has another, as in a program.
"""

import itertools
import os
import sqlite3
import statistics
import tempfile
import time

import slices
import within as wi

POINTS = 2_000_000
IN_A_TRANSACTION = 10_000
CALLS = [
    ("run.log: one metric", "log(loss=x)", 500),
    ("run.log: one metric, with a step", "log(7, loss=x)", 500),
    ("run.log: three metrics", "log(loss=x, acc=x, rate=x)", 0),
]


def measure_calls(run):
    for name, statement, at_most in CALLS:
        if slices.wanted(name):
            names = {"log": run.log, "x": 0.125}
            target = ("difference", at_most) if at_most else ()
            slices.measure(name, slices.side(statement, names), slices.side("pass", names), *target)


# ---- each call alone ----


def calls_ns(call, count):
    """The time of each of many calls, the shortest first."""
    times = []
    for i in range(count):
        begin = time.perf_counter_ns()
        call(i)
        times.append(time.perf_counter_ns() - begin)
    return sorted(times)


def measure_latency(run):
    """The clock's own time is the baseline's."""
    name = "run.log: one of 500,000 calls"
    if not slices.wanted(name):
        return
    log = run.log
    times, empty = calls_ns(lambda i: log(loss=0.125), 500_000), calls_ns(lambda i: None, 500_000)
    for which, place in ("p50", 0.5), ("p99.9", 0.999), ("worst", 1):
        pair = [each[min(int(place * len(each)), len(each) - 1)] for each in (times, empty)]
        slices.show(f"{name}, {which}", "ns", [pair])


# ---- into the database ----


def point_by_run_ns(folder):
    """From the first call until all is in the database, and the run over."""
    path = os.path.join(folder, "ours.db")
    begin = time.perf_counter_ns()
    with wi.run("throughput", path) as run:
        log = run.log
        for _ in itertools.repeat(None, POINTS):
            log(loss=0.125)
    ns = time.perf_counter_ns() - begin
    assert len(wi.runs(path)[-1].series("loss").values) == POINTS
    return ns / POINTS


def point_by_rows_ns(folder):
    """Rows in transactions of ten thousand: a kill loses those that are not committed."""
    conn = sqlite3.connect(os.path.join(folder, "theirs.db"), isolation_level=None)
    conn.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    conn.execute("DROP TABLE IF EXISTS metric")
    conn.execute("CREATE TABLE metric (name TEXT, step INTEGER, value REAL, time REAL)")
    begin = time.perf_counter_ns()
    for first in range(0, POINTS, IN_A_TRANSACTION):
        conn.execute("BEGIN IMMEDIATE")
        for step in range(first, first + IN_A_TRANSACTION):
            conn.execute("INSERT INTO metric VALUES ('loss', ?, ?, ?)", (step, 0.125, time.time()))
        conn.execute("COMMIT")
    conn.close()
    return (time.perf_counter_ns() - begin) / POINTS


def measure_throughput(folder):
    name = f"run: a point of {POINTS:,}, into SQLite, against rows by sqlite3"
    if slices.wanted(name):
        pairs = [(point_by_run_ns(folder), point_by_rows_ns(folder)) for _ in range(3)]
        slices.show(name, "ns", pairs, "ratio", 1)


# ---- MLflow ----

IN_A_BATCH = 1000  # its limit


class Mlflow:
    """Its client, with a run open in an SQLite file in a folder; each method gives ns a point."""

    def __init__(self, mlflow, folder):
        self.mlflow, self.steps = mlflow, itertools.count()
        mlflow.set_tracking_uri(f"sqlite:///{os.path.abspath(folder)}/mlflow.db")
        self.run = mlflow.start_run()
        self.call_ns()  # the first makes the tables

    def close(self):
        self.mlflow.end_run()

    def call_ns(self):
        """A call that waits until its point is committed."""
        return statistics.median(calls_ns(self._log, 20))

    def asynchronous_call_ns(self):
        """A call that leaves its point to another thread."""
        median = statistics.median(calls_ns(lambda i: self._log(i, synchronous=False), 200))
        self.mlflow.flush_async_logging()
        return median

    def asynchronous_ns(self):
        """The same until all are committed."""
        begin = time.perf_counter_ns()
        for i in range(200):
            self._log(i, synchronous=False)
        self.mlflow.flush_async_logging()
        return (time.perf_counter_ns() - begin) / 200

    def batch_ns(self):
        """Batches until they are committed."""
        client, metric = self.mlflow.MlflowClient(), self.mlflow.entities.Metric
        ms, id = int(1000 * time.time()), self.run.info.run_id
        begin = time.perf_counter_ns()
        for _ in range(2):
            client.log_batch(id, [metric("loss", 0.125, ms, next(self.steps)) for _ in range(IN_A_BATCH)])
        return (time.perf_counter_ns() - begin) / (2 * IN_A_BATCH)

    def _log(self, i, **options):
        self.mlflow.log_metric("loss", 0.125, step=next(self.steps), **options)


def call_by_run_ns(run):
    return slices.slice_ns(slices.side("log(7, loss=0.125)", {"log": run.log}), 20_000) / 20_000


def import_mlflow():
    """The module, which says nothing from now on, or None."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import logging

        import mlflow
    except ImportError:
        return None
    logging.disable(logging.WARNING)
    return mlflow


def measure_beside_mlflow(mlflow, folder, where):
    theirs = Mlflow(mlflow, folder)
    with wi.run("bench", os.path.join(folder, "calls.db")) as run:
        for what, baseline, at_most in [
            ("mlflow.log_metric", theirs.call_ns, 1 / 1000),
            ("mlflow.log_metric(synchronous=False)", theirs.asynchronous_call_ns, 0),
        ]:
            name = f"run.log: a call{where}, against {what}"
            if slices.wanted(name):
                pairs = [(call_by_run_ns(run), baseline()) for _ in range(5)]
                slices.show(name, "ns", pairs, "ratio" if at_most else "", at_most)
    for what, baseline, at_most in [
        ("mlflow.log_metric", theirs.call_ns, 1 / 1000),
        ("mlflow.log_metric(synchronous=False)", theirs.asynchronous_ns, 0),
        (f"MLflow's log_batch of {IN_A_BATCH:,}", theirs.batch_ns, 0),
    ]:
        name = f"run: a point until it is committed{where}, against {what}"
        if slices.wanted(name):
            pairs = [(point_by_run_ns(folder), baseline()) for _ in range(3)]
            slices.show(name, "ns", pairs, "ratio" if at_most else "", at_most)
    theirs.close()


def measure_mlflow(folder):
    mlflow = (slices.wanted("mlflow") or slices.wanted("MLflow")) and import_mlflow()
    if not mlflow:
        return
    measure_beside_mlflow(mlflow, folder, "")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        measure_beside_mlflow(mlflow, memory, " in /dev/shm")


def main():
    try:
        import within._runs  # noqa: F401
    except ImportError:
        return  # built where there is no SQLite
    with tempfile.TemporaryDirectory(dir=".") as folder:
        with wi.run("bench", os.path.join(folder, "bench.db")) as run:
            measure_calls(run)
            measure_latency(run)
        measure_throughput(folder)
        measure_mlflow(folder)


if __name__ == "__main__":
    main()
