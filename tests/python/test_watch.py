"""wi.watch: the section that leaks is named; what does not leak is not."""

import os
import subprocess
import sys
import sysconfig
import time

import pytest

import within as wi
from gpu_standins import Torch
from within import _gpu_sources

CALLS = 20000
# PYTHONMALLOC=malloc counts none.
HAS_BLOCKS = not sysconfig.get_config_var("Py_GIL_DISABLED") and sys.getallocatedblocks() > 0


def work():
    """Long enough to be looked at often. A sleep would leave the processor's caches cold, and looks dear."""
    end = time.perf_counter() + 0.001
    while time.perf_counter() < end:
        pass


def found(watch, what):
    return [leak for leak in watch.leaks if leak.what == what]


def loop(watch, load, what, calls=CALLS):
    """Until it is found and, where that was asked for, explained: how many calls that takes depends on what a look costs."""
    for call in range(calls):
        leaks = found(watch, what) if call % 8 == 0 else []
        if leaks and (leaks[0].explanation or not watch.explain):
            break
        with wi.section("epoch"):
            with wi.section("load"):
                load()
                work()
            with wi.section("step"):
                pass


def test_the_section_that_leaks_is_named(capfd):
    files = []
    with wi.watch() as watch:
        loop(watch, lambda: files.append(open(os.devnull)), "descriptors")
    for file in files:
        file.close()
    (leak,) = found(watch, "descriptors")
    assert leak.explanation == ()
    assert leak.section == "epoch > load"
    assert leak.text.startswith("+1.0 descriptors a call since call ")
    assert leak.per_call == pytest.approx(1, abs=0.01) and leak.seconds_left > 0
    assert leak.is_suspicion is False and leak.is_withdrawn is False
    assert capfd.readouterr().err.startswith(f"within: epoch > load: {leak.text[:30]}")


# In processes of their own: what a look at the blocks costs grows with how many there are, and pytest has many.
BLOCKS = """
import gc, time
import within as wi

class Row:
    pass

def keep():
    kept.append([Row() for _ in range(120)])
    floats = tuple(float(value) for value in range(360))
    kept.append([(floats, floats), floats])

def make_garbage():
    for _ in range(500):
        cycle = []
        cycle.append(cycle)

def call(load):
    end = time.perf_counter() + 0.001
    with wi.section("epoch"), wi.section("load"):
        load()
        while time.perf_counter() < end:
            pass

kept = []
"""
KEEPING = """
with wi.watch("load", explain=True) as watch:
    for _ in range(20000):
        call(keep)
        found = [leak for leak in watch.leaks if leak.what == "Python blocks" and leak.explanation]
        if found:
            break
leak, = found
print(leak.section, leak.is_suspicion, leak.per_call > 400, leak.seconds_left)
print(*leak.explanation, sep="\\n")
"""
COLLECTING = """
def count(phase, info):
    kept.append(phase)

gc.set_threshold(10**8)
gc.callbacks.append(count)
with wi.watch("load", quiet=True) as watch:
    for _ in range(20000):
        call(make_garbage)
        if kept:
            break
    for _ in range(250):
        call(make_garbage)
print(bool(kept), [leak.what for leak in watch.leaks if leak.what == "Python blocks"])
"""


def output_of(program):
    done = subprocess.run([sys.executable, "-c", BLOCKS + program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.skipif(not HAS_BLOCKS, reason="this build of Python does not count its blocks cheaply")
def test_blocks_of_python_that_grow_are_a_suspicion_and_explained_by_their_types():
    done = output_of(KEEPING)
    first, *explanation = done.stdout.splitlines()
    assert first == "epoch > load True True None"
    told = done.stderr.partition("within: epoch > load: more Python blocks after call ")[2].splitlines()
    assert told[1 : 1 + len(explanation)] == [f"    {line}" for line in explanation]
    floats, rows = [line.removeprefix("Python types: +").split() for line in explanation]
    assert floats[1] == "float" and rows[1] == "__main__.Row"
    assert int(floats[0].replace(",", "")) == pytest.approx(3 * int(rows[0].replace(",", "")), rel=0.02)


@pytest.mark.skipif(not HAS_BLOCKS, reason="this build of Python does not count its blocks cheaply")
def test_garbage_is_collected_before_its_growth_is_told():
    assert output_of(COLLECTING).stdout == "True []\n"


# ---- memory of the GPU ----


@pytest.fixture
def torch(monkeypatch):
    monkeypatch.setattr(_gpu_sources, "_known", {})
    monkeypatch.setattr(_gpu_sources, "_in_use", {})
    module = Torch()
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def test_a_tensor_kept_alive_is_memory_of_the_gpu_in_its_section(torch, monkeypatch):
    monkeypatch.setattr(_gpu_sources, "in_use", lambda: torch.devices[1].current)  # soon: looks are as seldom as dear
    with wi.watch("load", quiet=True) as watch:
        loop(watch, lambda: torch.devices[1].take(2_100_000), "GPU memory")
    (leak,) = found(watch, "GPU memory")
    assert leak.section == "epoch > load" and leak.is_suspicion is True
    assert leak.text.startswith("+2.1 MB a call of GPU memory since call ")
    assert leak.per_call == pytest.approx(2_100_000)


def test_a_library_that_fails_is_asked_again_and_stops_nothing(torch, monkeypatch):
    def in_use():
        asked.append(1)
        return torch.memory_allocated(0)

    asked = []
    monkeypatch.setattr(_gpu_sources, "in_use", in_use)
    torch.fails = "memory_stats"
    with wi.watch("load", quiet=True) as watch:
        while len(asked) < 10:
            loop(watch, work, "GPU memory", 1)
        torch.fails = None
        while len(asked) < 20:
            loop(watch, work, "GPU memory", 1)
    assert watch.leaks == []


def test_an_interrupt_while_a_library_is_asked_is_not_lost(torch, monkeypatch):
    def interrupted():
        asked.append(1)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return 5

    asked = []
    monkeypatch.setattr(_gpu_sources, "in_use", interrupted)
    with pytest.raises(KeyboardInterrupt), wi.watch(quiet=True):
        for _ in range(CALLS):
            with wi.section("epoch"):
                work()
    assert len(asked) in (3, 4)


def test_what_is_in_use_is_that_of_all_gpus_by_the_first_library(torch):
    assert _gpu_sources.in_use() == 0
    torch.devices[0].take(5)
    torch.devices[1].take(7)
    assert _gpu_sources.in_use() == 12
    torch.initialized = False
    assert _gpu_sources.in_use() is None


def test_what_is_given_back_is_not_told(capfd):
    with wi.watch() as watch:
        loop(watch, lambda: open(os.devnull).close(), "descriptors", 200)
    assert watch.leaks == []
    assert capfd.readouterr().err == ""


def test_a_section_is_counted_as_often_as_without():
    profiler = wi.Profiler()
    with wi.watch(quiet=True):
        for _ in range(2000):
            with profiler.section("fast"):
                pass
    assert [each.calls for each in profiler.stats() if each.path == "fast"] == [2000]


def test_an_exception_passes_through_a_watched_section():
    with wi.watch(quiet=True):
        for _ in range(3):
            with pytest.raises(ZeroDivisionError), wi.section("epoch"):
                1 / 0


def test_a_watch_is_used_again_but_not_twice_at_once():
    watch = wi.watch(quiet=True)
    assert watch.leaks == []
    with watch, pytest.raises(RuntimeError, match="watch is in a block already"):
        watch.__enter__()
    with watch:
        pass
    with pytest.raises(RuntimeError, match="watch is not in a block"):
        watch.__exit__(None, None, None)


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="watch\\(\\) takes names of sections, str, not int"):
        wi.watch(3)
    with pytest.raises(ValueError, match="watch\\(\\): 'a, b' is no name of a section to watch"):
        wi.watch("a, b")
    with pytest.raises(ValueError, match="'' is no name"):
        wi.watch("")


PROGRAM = """
import os, threading, time
import within as wi
def start(end=threading.Event()):
    threading.Thread(target=end.wait, daemon=True).start()
for _ in range(4000):
    with wi.section("epoch"), wi.section("load"):
        start()
        time.sleep(0.0005)
"""


def test_the_environment_has_a_whole_program_watched_and_explained():
    environment = {**os.environ, "WITHIN_WATCH": "1", "WITHIN_WATCH_EXPLAIN": "1"}
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as program:
        lines = [program.stderr.readline() for _ in range(4)]
        program.kill()
    assert lines[0].startswith("within: epoch > load: +1.0 threads a call since call ")
    assert lines[1].startswith("within: epoch > load: more threads after call ")
    assert lines[2].startswith("    threads: +")
    assert lines[3].startswith("    Python threads: +") and lines[3].endswith(" Thread-N (wait)\n")
