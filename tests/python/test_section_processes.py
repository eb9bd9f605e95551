"""Sections and processes: forks, kills, the interpreter's end, and C code below."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import within as wi

HEAD = """
import os, signal, sys, threading, time
import within as wi
"""


def calls(result):
    return {path: row["calls"] for path, row in result.paths.items()}


# ---- forks ----


def test_a_forked_child_has_a_record_of_its_own(python, read_record, tmp_path):
    path = tmp_path / "run.within"
    out = python(
        HEAD
        + """
def generate():
    with wi.section("suspended"): yield
generator = generate(); next(generator)
with wi.section("outer"):
    time.sleep(0.05)
    child = os.fork()
    with wi.section("child" if child == 0 else "parent"): pass
    if child: os.waitpid(child, 0)
generator.close()
with wi.section("after"): pass
if child: print(child)
""",
        WITHIN_RECORD=path,
    ).stdout
    parent, child = read_record(path), read_record(f"{path}.{int(out)}")
    assert calls(parent) == {"suspended": 1, "outer": 1, "outer > parent": 1, "after": 1}
    assert calls(child) == {"suspended": 1, "outer": 1, "outer > child": 1, "after": 1}
    assert child.paths["outer"]["total_s"] < 0.05 <= parent.paths["outer"]["total_s"]
    assert child.paths["suspended"]["total_s"] < 0.05
    for each in parent, child:
        assert not each["open"] and not each["mismatched"]


def test_a_child_of_a_thread_forgets_the_others(record):
    result = record(
        HEAD
        + """
def generate():
    with wi.section("suspended"): yield
generator = generate()
def hold():
    next(generator)
    with wi.section("held"): begun.set(); end.wait()
begun, end = threading.Event(), threading.Event()
thread = threading.Thread(target=hold); thread.start(); begun.wait()
child = os.fork()
if child == 0:
    generator.close()
    with wi.section("child"): pass
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
end.set(); thread.join(); generator.close()
with wi.section("after"): pass
"""
    )
    assert calls(result) == {"suspended": 1, "held": 1, "after": 1}
    assert not result["open"] and not result["mismatched"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(python, read_record, tmp_path, method):
    (tmp_path / "work.py").write_text(
        """
import os, within as wi
def work(n):
    with wi.section("work"):
        for _ in range(n):
            with wi.section("item"): pass
    return os.getpid()
"""
    )
    (tmp_path / "main.py").write_text(
        f"""
import multiprocessing, within as wi
from work import work
if __name__ == "__main__":
    with wi.section("main"):
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            print(*set(pool.map(work, [3] * 8, chunksize=1)))
            pool.close(); pool.join()
"""
    )
    path = tmp_path / "run.within"
    environment = {**os.environ, "WITHIN_RECORD": str(path)}
    out = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, timeout=60
    )
    assert out.returncode == 0
    assert read_record(path).paths["main"]["calls"] == 1
    items = 0
    for pid in map(int, out.stdout.split()):
        paths = read_record(f"{path}.{pid}").paths
        items += sum(row["calls"] for name, row in paths.items() if name.endswith("work > item"))
    assert items == 24


# ---- ends ----


def test_sections_open_at_the_interpreters_end(record):
    result = record(
        HEAD
        + """
import atexit
class Late:
    def __del__(self, section=wi.section):
        with section("late"): pass
def generate():
    with wi.section("generator"): yield
late, generator, by_hand = Late(), generate(), wi.section("by hand")
next(generator); by_hand.__enter__()
atexit.register(lambda: wi.section("at exit").__enter__())
sys.exit_section = wi.section("of sys").__enter__()
"""
    )
    assert {"generator", "by hand", "by hand > of sys"} <= result.paths.keys()


def test_exit_in_a_section_and_in_a_thread(record):
    result = record(
        HEAD
        + """
def work():
    with wi.section("thread"): ready.set(); time.sleep(30)
ready = threading.Event()
threading.Thread(target=work, daemon=True).start()
ready.wait()
with wi.section("main"): sys.exit(0)
"""
    )
    assert result.paths["main"]["calls"] == 1
    assert [scope["what"] for scope in result["open"]] == ["thread"]


def test_a_killed_process_leaves_its_sections_and_what_was_open(python, read_record, tmp_path):
    path = tmp_path / "run.within"
    done = python(
        HEAD
        + """
import asyncio
async def task():
    with wi.section("task"):
        with wi.section("wait"): await asyncio.sleep(10)
async def main():
    tasks = [asyncio.ensure_future(task()) for _ in range(37)]
    await asyncio.sleep(0)
    with wi.section("main"):
        for _ in range(1000):
            with wi.section("step"): pass
        with wi.section("last"): os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
""",
        fails=True,
        WITHIN_RECORD=path,
    )
    assert done.returncode == -signal.SIGKILL
    result = read_record(path)
    assert calls(result) == {"main": 1, "main > step": 1000, "main > last": 1, "task": 37, "task > wait": 37}
    open_scopes = {scope["what"]: scope["count"] for scope in result["open"]}
    assert open_scopes == {"main": 1, "main > last": 1, "task": 37, "task > wait": 37}


def test_within_run_shows_them(command, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        """
import os, signal, sys, within as wi
with wi.section("epoch"):
    for _ in range(3):
        with wi.section("forward"): pass
    if len(sys.argv) > 1: os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    for arguments, status, line in [([], 0, "epoch "), (["kill"], 128 + signal.SIGKILL, "epoch (open)")]:
        done = subprocess.run(
            [command, "run", "--", sys.executable, script, *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == status
        assert line in done.stderr and "  forward" in done.stderr
    assert "killed by signal 9" in done.stderr


def test_a_killed_process_at_any_moment(read_record, tmp_path):
    path = tmp_path / "run.within"
    script = HEAD + """
def generate():
    with wi.section("generator"):
        while True:
            with wi.section("step"): yield
with wi.section("run"):
    generator = generate()
    print(flush=True)
    while True:
        next(generator)
        with wi.section("body"): pass
"""
    for milliseconds in range(0, 10, 2):
        path.unlink(missing_ok=True)
        environment = {**os.environ, "WITHIN_RECORD": str(path)}
        child = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(milliseconds / 1000)
        child.kill()
        child.wait()
        child.stdout.close()
        result = read_record(path)
        assert result["damaged"] == 0 and result["torn"] <= 1
        assert result.paths["run"]["open"] == 1
        assert abs(sum(scope["count"] for scope in result["open"]) - 3) <= 2


# ---- C code below ----

LIBRARY = """
#include <within.h>
void solve(void (*callback)(void));
void solve(void (*callback)(void)) {
    within (wi_section("solve")) {
        within (wi_section("factor")) continue;
        if (callback) callback();
        within (wi_section("substitute")) continue;
    }
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A C library that uses within, built against the package."""
    compiler = shutil.which(os.environ.get("CC", "cc").split()[0])
    if not compiler:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("library")
    (folder / "solve.c").write_text(LIBRARY)
    where = wi.get_library_dir()
    flags = ["-shared", "-fPIC", "-fexceptions", "-O1", f"-I{wi.get_include()}", f"-L{where}", f"-Wl,-rpath,{where}"]
    command = [compiler, *flags, "solve.c", "-o", "libsolve.so", "-lwithin"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(folder / "libsolve.so")


def test_sections_of_c_code_are_children(record, library):
    assert ctypes.CDLL(str(library)).solve
    result = record(
        HEAD
        + """
import ctypes
library = ctypes.CDLL(sys.argv[1])
Callback = ctypes.CFUNCTYPE(None)
def in_python():
    with wi.section("python"):
        with wi.section("deeper"): pass
def generate():
    with wi.section("generator"):
        while True: yield library.solve(None)
generator = generate()
with wi.section("epoch"):
    library.solve(None)
    library.solve(Callback(in_python))
    library.solve(Callback(lambda: next(generator)))
with wi.section("after"):
    library.solve(Callback(in_python))
generator.close()
library.solve(Callback(in_python))
""",
        library,
    )
    in_c = {"solve": 1, "solve > factor": 1, "solve > substitute": 1}
    python = {"solve > python": 1, "solve > python > deeper": 1}
    assert not result["open"] and not result["mismatched"]
    counted = calls(result)
    # A C section knows the generator that was resumed inside of it only until that yields.
    inside = {path for path in counted if path.startswith("epoch > solve > generator")}
    assert counted["epoch > solve > generator"] == 1
    assert sum(counted[path] for path in counted if path.endswith("generator > solve")) == 1
    rest = {path: count for path, count in counted.items() if path not in inside}
    assert rest["epoch > solve"] == 3 and rest["epoch > solve > python > deeper"] == 1
    assert {path: rest[path] for path in (*in_c, *python)} == {**in_c, **python}
    assert rest["after > solve > python > deeper"] == 1


def test_sections_of_c_code_where_a_generator_ended(record, library):
    result = record(
        HEAD
        + """
import ctypes
library = ctypes.CDLL(sys.argv[1])
def generate():
    with wi.section("generator"): yield
def in_thread(function):
    thread = threading.Thread(target=function); thread.start(); thread.join()
with wi.section("a"):
    here, elsewhere = generate(), generate()
    next(here); next(elsewhere)
    with wi.section("b"):
        here.close()
        library.solve(None)
    in_thread(elsewhere.close)
    with wi.section("c"): library.solve(None)
library.solve(None)
""",
        library,
    )
    assert {path: row["calls"] for path, row in result.paths.items() if path.endswith("solve")} == {
        "a > b > solve": 1,
        "a > c > solve": 1,
        "solve": 1,
    }
    assert result.paths["a > generator"]["calls"] == 2
    assert not result["open"] and not result["mismatched"]


def test_sections_of_c_code_in_threads(record, library):
    result = record(
        HEAD
        + """
import ctypes
library = ctypes.CDLL(sys.argv[1])
def work():
    with wi.section("thread"):
        for _ in range(100): library.solve(None)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
        library,
    )
    assert calls(result) == {
        "thread": 4,
        "thread > solve": 400,
        "thread > solve > factor": 400,
        "thread > solve > substitute": 400,
    }
