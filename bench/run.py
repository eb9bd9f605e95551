"""run.log against nothing, against what people write by hand, and against MLflow's own client on its SQLite store.

The last where mlflow is importable. Its calls take milliseconds: few of them stand beside many of ours. The program is
not pinned to a core: the thread that brings points into the database has another, as in a program.
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
    conn.execute("CREATE TABLE IF NOT EXISTS metric (name TEXT, step INTEGER, value REAL, time REAL)")
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
        slices.show(name, "ns", [(point_by_run_ns(folder), point_by_rows_ns(folder))], "ratio", 1)


# ---- MLflow ----


def mlflow_on_sqlite(folder):
    """The module with a run open, or None."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import logging

        import mlflow
    except ImportError:
        return None
    logging.disable(logging.WARNING)
    mlflow.set_tracking_uri(f"sqlite:///{os.path.abspath(folder)}/mlflow.db")
    mlflow.start_run()
    return mlflow


def measure_mlflow(run, folder):
    name = "run.log, against MLflow's client on its SQLite store"
    mlflow = slices.wanted(name) and mlflow_on_sqlite(folder)
    if not mlflow:
        return
    log, steps, pairs = run.log, itertools.count(), []
    for _ in range(10):
        theirs_ns = statistics.median(calls_ns(lambda i: mlflow.log_metric("loss", 0.125, step=next(steps)), 20))
        ours_ns = slices.slice_ns(slices.side("log(7, loss=0.125)", {"log": log}), 20_000) / 20_000
        pairs.append((ours_ns, theirs_ns))
    mlflow.end_run()
    slices.show(name, "ns", pairs, "ratio", 1 / 1000)


def main():
    try:
        import within._runs  # noqa: F401
    except ImportError:
        return  # built where there is no SQLite
    with tempfile.TemporaryDirectory(dir=".") as folder:
        with wi.run("bench", os.path.join(folder, "bench.db")) as run:
            measure_calls(run)
            measure_latency(run)
            measure_mlflow(run, folder)
        measure_throughput(folder)


if __name__ == "__main__":
    main()
