"""The Python door against the standard library, `with lock`, and the profiler that people write themselves.

One text is run with the names of within.contextlib and with those of contextlib, in turns.
"""

import collections
import contextlib
import csv
import os
import subprocess
import sys
import tempfile
import threading
import time
from typing import NamedTuple

import slices
import within
import within.contextlib

IS_311 = sys.version_info[:2] == (3, 11)


class Row(NamedTuple):
    """A statement, what it stands on, and the ratio that 3.11 promises; the others promise 1."""

    name: str
    statement: str
    setup: str = ""
    on_311: float = 1


MANAGER = """
@contextmanager
def manager():
    yield
"""
DECORATED = """
@contextmanager
def manager():
    yield

@manager()
def decorated():
    pass
"""
ASYNC_MANAGER = """
@asynccontextmanager
async def manager():
    yield
"""
CLASS = """
class Manager(ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

@Manager()
def decorated():
    pass
"""
ACLOSEABLE = """
class Thing:
    async def aclose(self):
        pass

thing = Thing()
"""
RAISING = """
try:
    with manager():
        raise KeyError
except KeyError:
    pass
"""
STACK = "with ExitStack() as stack:\n    "
ENTER = "stack.enter_context(nothing)"
CALLBACK = "stack.callback(clear)"
ASYNC_STACK = "async with AsyncExitStack() as stack:\n    stack.enter_context(lock)"

ROWS = [
    Row("contextmanager: body passes", "with manager(): pass", MANAGER, 1 / 4),
    Row("contextmanager: body raises", RAISING, MANAGER, 1 / 1.8),
    Row("contextmanager: decorated call", "decorated()", DECORATED, 1 / 3),
    Row("ExitStack: 1 manager", STACK + ENTER, "", 1 / 6),
    Row("ExitStack: 3 managers", STACK + "; ".join([ENTER] * 3), "", 1 / 4.5),
    Row("ExitStack: 3 callbacks", STACK + "; ".join([CALLBACK] * 3), "", 1 / 10),
    Row("ExitStack: 1 lock", STACK + "stack.enter_context(lock)"),
    Row("suppress: nothing raised", "with suppress(KeyError): pass", "", 1 / 3.5),
    Row("suppress: an exception", "with suppress(KeyError): raise KeyError", "", 1 / 2),
    Row("nullcontext", "with nullcontext(): pass", "", 1 / 4),
    Row("asynccontextmanager", "async with manager(): pass", ASYNC_MANAGER, 1 / 2.5),
    Row("closing", "with closing(file): pass"),
    Row("redirect_stdout", "with redirect_stdout(file): pass"),
    Row("aclosing", "async with aclosing(thing): pass", ACLOSEABLE),
    Row("AsyncExitStack: 1 manager", ASYNC_STACK),
    Row("ContextDecorator: decorated call", "decorated()", CLASS),
]


class UsualProfiler:
    """What people write when they want to know where the time goes."""

    def __init__(self):
        self.names = []
        self.times = collections.defaultdict(list)

    @contextlib.contextmanager
    def section(self, name):
        self.names.append(name)
        path = " > ".join(self.names)
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.times[path].append(time.perf_counter() - begin)
            self.names.pop()


class Closeable:
    def close(self):
        pass


def names_of(module, section):
    """What the statements are made of, with the managers of one module.

    `nothing` and `clear` are the same on both sides, and cost next to nothing, so that stacks are measured
    and not what is in them.
    """
    managers = {name: getattr(module, name) for name in module.__all__}
    others = {"lock": threading.Lock(), "nothing": within.contextlib.nullcontext(), "clear": [].clear}
    return {**managers, **others, "section": section, "file": Closeable()}


def with_setup(names, setup):
    scope = dict(names)
    exec(setup, scope)
    return scope


def measure_managers():
    for name, statement, setup, on_311 in ROWS:
        if not slices.wanted(name):
            continue
        ours, standard = (
            slices.side(statement, with_setup(names_of(module, None), setup))
            for module in (within.contextlib, contextlib)
        )
        slices.measure(name, ours, standard, "ratio", on_311 if IS_311 else 1)


# ---- sections ----

SECTION = 'with section("forward"): pass'
AROUND = 'with section("epoch"):'


def our_section():
    return slices.side(SECTION, names_of(contextlib, within.section), AROUND)


def measure_sections():
    name = "section, against the usual profiler"
    if slices.wanted(name):
        usual = slices.side(SECTION, names_of(contextlib, UsualProfiler().section), AROUND)
        slices.measure(name, our_section(), usual, "ratio", 1 / 12)
    name = "section, against `with lock`"
    if slices.wanted(name):
        lock = slices.side("with lock: pass", names_of(contextlib, within.section), AROUND)
        slices.measure(name, our_section(), lock, *(("ratio", 0.8) if IS_311 else ()))


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_memory():
    name = "section: memory after 5,000,000 calls"
    if not slices.wanted(name):
        return
    run = our_section()
    resident_bytes()
    run(1000)
    before = resident_bytes()
    run(5_000_000)
    slices.show(name, "bytes", [(resident_bytes(), before)], "ratio", 1)


# ---- files ----


def measure_csv_log():
    """Rows that are in the file when they were written, on both sides."""
    name = "csv_log: a row, against csv.writer and flush"
    if not slices.wanted(name):
        return
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/standard.csv", "w", newline="") as file:
        with within.csv_log(f"{folder}/ours.csv", "step,loss,note", sync_every=-1) as log:
            names = {"log": log, "writer": csv.writer(file), "file": file, "loss": 0.1 + 0.2}
            ours = slices.side("log.row(7, loss, 'converged')", names)
            standard = slices.side("writer.writerow((7, loss, 'converged')); file.flush()", names)
            slices.measure(name, ours, standard, "ratio", 1)


# ---- import ----


def process_ns(program, environment):
    begin = time.perf_counter_ns()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    return time.perf_counter_ns() - begin


def with_caches_in(folder):
    """An environment in which compiled modules are kept, whatever the caller's says."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}


def measure_import():
    """Interpreters that end at once, with and without the import; the first two fill the caches."""
    name = "import within"
    if not slices.wanted(name):
        return
    until, pairs, programs = slices.deadline() + 1, [], ["import within", "pass"]
    with tempfile.TemporaryDirectory() as folder:
        environment = with_caches_in(folder)
        while len(pairs) < slices.LEAST_SLICES or time.perf_counter() < until:
            in_turns = programs[:: 1 if len(pairs) % 2 else -1]
            ns = {program: process_ns(program, environment) for program in in_turns}
            pairs.append([ns[program] for program in programs])
    slices.show(name, "ns", pairs[1:], "difference", 15e6)


def main():
    slices.pin()
    measure_memory()  # first: what other rows have freed would hide what it needs
    measure_sections()
    measure_managers()
    measure_csv_log()
    measure_import()


if __name__ == "__main__":
    main()
