"""Two sides measured in turns, one JSON line a row: what harness.c is for the programs in Python.

In the environment: BENCH_SECONDS for each row, BENCH_ONLY for the part of the names to measure.
"""

import gc
import itertools
import json
import os
import statistics
import textwrap
import time

SLICE_NS = 100_000
LEAST_SLICES = 5
UNROLLED = 10  # statements in the loop's body: what is left of the loop itself is below a nanosecond each


def wanted(name):
    return os.environ.get("BENCH_ONLY", "") in name


def deadline():
    return time.perf_counter() + float(os.environ.get("BENCH_SECONDS", "1"))


def pin():
    """To the last core: the first has more interrupts."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def side(statement, names, around="if True:"):
    """Return a function that runs a statement n times, ten times in each turn of a loop.

    Parameters
    ----------
    statement, around : str
        Python; with an `await` or an `async with` in it the whole is a coroutine, which must not wait.
    names : dict
        The globals of both.
    """
    body = textwrap.indent(textwrap.dedent(statement).strip() + "\n", " " * 3) * UNROLLED
    is_async = "async " in statement or "await " in statement
    head = "async def run(_n):" if is_async else "def run(_n):"
    scope = {**names, "repeat": itertools.repeat}
    exec(f"{head}\n {around}\n  for _ in repeat(None, _n // {UNROLLED}):\n{body}", scope)
    return driven(scope["run"]) if is_async else scope["run"]


def driven(coroutine_function):
    """A plain function that runs a coroutine which never waits."""

    def run(n):
        try:
            coroutine_function(n).send(None)
        except StopIteration:
            pass

    return run


def slice_ns(run, n):
    begin = time.perf_counter_ns()
    run(n)
    return time.perf_counter_ns() - begin


def calibrated(run):
    """How often makes a slice. The best of three: the first call may have more to do."""
    n = UNROLLED
    while min(slice_ns(run, n) for _ in range(3)) < SLICE_NS:
        n *= 2
    return n


def pairs_of(subject, baseline, until):
    """The time of one statement of both sides, again and again, the order changing from pair to pair."""
    sides = [(subject, calibrated(subject)), (baseline, calibrated(baseline))]
    pairs = []
    while len(pairs) < LEAST_SLICES or time.perf_counter() < until:
        order = (0, 1) if len(pairs) % 2 else (1, 0)
        ns = [0, 0]
        for which in order:
            run, n = sides[which]
            ns[which] = slice_ns(run, n) / n
        pairs.append(ns)
    return pairs


def measure(name, subject, baseline, target="", at_most=0):
    """Measure a row and print it, in nanoseconds for one statement."""
    gc.collect()
    gc.disable()  # as timeit does: when it would run depends on what has run before
    pairs = pairs_of(subject, baseline, deadline())
    gc.enable()
    show(name, "ns", pairs, target, at_most)


def show(name, unit, pairs, target="", at_most=0):
    """Print a row, of pairs of figures of the subject and the baseline."""
    values, baselines = zip(*pairs)
    row = {
        "name": name,
        "unit": unit,
        "value": statistics.median(values),
        "baseline": statistics.median(baselines),
        "ratio": statistics.median(value / other for value, other in pairs),
        "difference": statistics.median(value - other for value, other in pairs),
        "least": min(values),
        "baseline_least": min(baselines),
        "target": target,
        "at_most": at_most,
    }
    print(json.dumps(row), flush=True)
