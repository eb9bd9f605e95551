"""CPython's own tests of contextlib, again and again: none may leave references behind.

    python3.14-dbg tests/python/cpython/references.py [--junit-xml FILE] [NAME...]

Needs a debug build, which counts its references. A module counts as one test.
"""

import gc
import sys
import unittest

import run

WARM = 3  # repetitions in which caches fill
MEASURED = 4


def forget():
    """Empty the caches that would hide, or look like, what is lost."""
    getattr(sys, "_clear_internal_caches", sys._clear_type_cache)()
    gc.collect()
    gc.collect()


def growth(module, name):
    """By how much the references grew in each measured repetition of a module's tests."""
    counts = []
    for _ in range(WARM + MEASURED):
        run.suite_of(module, name).run(unittest.TestResult())
        forget()
        counts.append(sys.gettotalrefcount())
    # Only what happens between two counts, each of which is held by the list, in every repetition.
    return [after - before - 1 for before, after in zip(counts[WARM - 1 :], counts[WARM:])]


def measure(names, contextlib, verbosity):
    """The outcome of each module: passed, unless every repetition lost something."""
    outcomes = {}
    for name in names:
        first, _, rest = name.partition(".")
        if not run.find(first):
            outcomes[f"references.{name}"] = "skipped", "this Python has no such tests"
            continue
        found = growth(run.load(first, contextlib), rest)
        if verbosity > 1 or min(found) > 0:
            print(f"{name}: references lost in each run: {found}")
        outcomes[f"references.{name}"] = ("failure", f"references lost: {found}") if min(found) > 0 else None
    return outcomes


if __name__ == "__main__":
    if not hasattr(sys, "gettotalrefcount"):
        sys.exit("only a debug build of Python counts its references")
    run.main(measure)
