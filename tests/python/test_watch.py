"""wi.watch: the section that leaks is named; what does not leak is not."""

import gc
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
HAS_BLOCKS = not sysconfig.get_config_var("Py_GIL_DISABLED")


def work():
    """Long enough to be looked at often. A sleep would leave the processor's caches cold, and looks dear."""
    end = time.perf_counter() + 0.001
    while time.perf_counter() < end:
        pass


def found(watch, what):
    return [leak for leak in watch.leaks if leak.what == what]


def loop(watch, load, what, calls=CALLS):
    """How many calls it takes until the watch is sure depends on what a look costs here."""
    for _ in range(calls):
        if found(watch, what):
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
    assert leak.section == "epoch > load"
    assert leak.text.startswith("+1.0 descriptors a call since call ")
    assert leak.per_call == pytest.approx(1, abs=0.01) and leak.seconds_left > 0
    assert leak.is_suspicion is False and leak.is_withdrawn is False
    assert capfd.readouterr().err.startswith(f"within: epoch > load: {leak.text[:30]}")


@pytest.mark.skipif(not HAS_BLOCKS, reason="this build of Python does not count its blocks cheaply")
def test_blocks_of_python_that_grow_are_a_suspicion():
    kept = []
    with wi.watch("load", quiet=True) as watch:
        loop(watch, lambda: kept.append([object() for _ in range(200)]), "Python blocks")
    (leak,) = found(watch, "Python blocks")
    assert leak.section == "epoch > load" and leak.is_suspicion is True
    assert leak.per_call == pytest.approx(200, rel=0.1) and leak.seconds_left is None


@pytest.mark.skipif(not HAS_BLOCKS, reason="this build of Python does not count its blocks cheaply")
def test_garbage_is_collected_before_its_growth_is_told():
    def make_garbage():
        for _ in range(300):
            cycle = []
            cycle.append(cycle)

    def count(phase, info):
        collections.append(phase)

    collections, threshold = [], gc.get_threshold()
    gc.collect()
    gc.set_threshold(10**8)
    gc.callbacks.append(count)
    try:
        with wi.watch("load", quiet=True) as watch:
            for _ in range(20000):
                if collections:
                    break
                loop(watch, make_garbage, "Python blocks", 1)
            loop(watch, make_garbage, "Python blocks", 500)
    finally:
        gc.callbacks.remove(count)
        gc.set_threshold(*threshold)
    assert collections
    assert found(watch, "Python blocks") == []


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
import os, time
import within as wi
for _ in range(1000):
    with wi.section("epoch"), wi.section("load"):
        os.open(os.devnull, os.O_RDONLY)
        time.sleep(0.001)
"""


def test_the_environment_has_a_whole_program_watched():
    environment = {**os.environ, "WITHIN_WATCH": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.PIPE, text=True)
    assert done.stderr.startswith("within: epoch > load: +1.0 descriptors a call since call ")
    environment["WITHIN_WATCH"] = "step"
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""
