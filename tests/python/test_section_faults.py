"""Sections when something goes wrong at the worst moment: interrupts, no memory, collection, threads that race."""

import gc
import sys
import threading

import pytest

import within as wi

HEAD = """
import gc, sys, threading, time
import within as wi
"""


class Interrupt(BaseException):
    """What a trace function raises, as a signal's handler would."""


def interrupted_everywhere(function):
    """Call a function again and again, with an interrupt at its first, second, … opcode; how many there were."""
    for number in range(10_000):
        left = number

        def trace(frame, event, argument):
            nonlocal left
            frame.f_trace_opcodes = True
            if event == "opcode" or event == "line":
                if left == 0:
                    left = -1
                    raise Interrupt
                left -= 1
            return trace

        sys.settrace(trace)
        try:
            function()
        except Interrupt:
            pass
        finally:
            sys.settrace(None)
        if left > 0:
            return number
    raise AssertionError("the function never ends")


INTERRUPTED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_section_faults import interrupted_everywhere
def generate():
    with wi.section("generator"):
        yield
        with wi.section("in generator"): yield
def block():
    with wi.section("outer"):
        with wi.section("inner") as inner:
            value = 1
        for _ in generate():
            with wi.section("body"): value += 1
    return value
times = interrupted_everywhere(block)
assert times > 30, times
gc.collect()
with wi.section("after"): pass
"""


def test_an_interrupt_at_any_opcode_leaves_nothing_open(record, root):
    result = record(HEAD + INTERRUPTED, root / "tests" / "python")
    paths = result.paths
    assert not result["open"] and not result["mismatched"]
    assert paths["after"]["calls"] == 1
    assert set(paths) == {
        "outer",
        "outer > inner",
        "outer > generator",
        "outer > generator > in generator",
        "outer > body",
        "after",
    }
    assert paths["outer > body"]["errors"] > 0 and paths["outer > inner"]["errors"] > 0


def test_signals_at_random_moments_leave_nothing_open(record):
    result = record(
        HEAD
        + """
import signal
class Interrupt(BaseException): pass
def handler(*_): raise Interrupt
signal.signal(signal.SIGALRM, handler)
def work():
    while True:
        with wi.section("a"):
            with wi.section("b"): pass
            with wi.section("c"): pass
count = 0
for i in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002 + 0.000001 * i)
        work()
    except Interrupt:
        count += 1
assert count == 300
with wi.section("after"): pass
"""
    )
    assert set(result.paths) == {"a", "a > b", "a > c", "after"}
    assert not result["open"] and not result["mismatched"]


def test_no_memory_at_any_allocation_leaves_nothing_open(record):
    pytest.importorskip("_testcapi")
    result = record(
        HEAD
        + """
import _testcapi
def block(name):
    with wi.section(name):
        with wi.section(name + " inner"):
            pass
block("warm")
failures = 0
for start in range(1, 60):
    name = "fresh %d" % start
    _testcapi.set_nomemory(start, start + 1)
    try:
        try:
            block(name)
        finally:
            _testcapi.remove_mem_hooks()
    except MemoryError:
        failures += 1
    wi.section(name).name
assert failures >= 3, failures
def in_thread():
    _testcapi.set_nomemory(1, 2)
    try:
        with section: pass
    except MemoryError: pass
    finally: _testcapi.remove_mem_hooks()
section = wi.section("thread")
thread = threading.Thread(target=in_thread); thread.start(); thread.join()
with section: pass
with wi.section("after"): pass
"""
    )
    assert result.paths["after"]["calls"] == 1
    assert not result["open"] and not result["mismatched"]


def test_errors_in_what_is_called_meanwhile(record):
    """A trace or profile function that opens sections itself, and an audit of the collector's."""
    result = record(
        HEAD
        + """
def profile(frame, event, argument):
    if event == "call":
        with wi.section("profile function"): pass
def on_collection(phase, info):
    with wi.section("collection"): pass
gc.callbacks.append(on_collection)
gc.set_threshold(1)
def work():
    for i in range(50):
        with wi.section("work"):
            keep = [[] for _ in range(10)]
sys.setprofile(profile); work(); sys.setprofile(None)
gc.callbacks.clear(); gc.set_threshold(700)
with wi.section("after"): pass
"""
    )
    assert result.paths["work"]["calls"] == 50 and result.paths["after"]["calls"] == 1
    assert not result["open"] and not result["mismatched"]


def test_half_open_blocks_in_cycles_are_collected(record):
    result = record(
        HEAD
        + """
def generate():
    with wi.section("a"), wi.section("b"): yield
for _ in range(100):
    cycle = [generate()]; next(cycle[0]); cycle.append(cycle)
    with wi.section("beside"): pass
del cycle
gc.collect()
with wi.section("after"): pass
"""
    )
    assert {path: row["calls"] for path, row in result.paths.items()} == {
        "a": 100,
        "a > b": 100,
        "beside": 100,
        "after": 1,
    }
    assert not result["open"] and not result["mismatched"]


def test_threads_that_pass_generators_around(record):
    result = record(
        HEAD
        + """
import queue
def generate():
    with wi.section("generator"):
        for _ in range(20):
            with wi.section("step"): yield
def work():
    with wi.section("worker"):
        while True:
            generator = waiting.get()
            if generator is None: return
            with wi.section("turn"):
                if next(generator, "end") != "end": waiting.put(generator)
                else: left.release()
waiting, left = queue.Queue(), threading.Semaphore(0)
sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for _ in range(25): waiting.put(generate())
for _ in range(25): left.acquire()
for _ in threads: waiting.put(None)
for thread in threads: thread.join()
with wi.section("after"): pass
"""
    )
    paths = result.paths
    assert paths["worker"]["calls"] == 4 and paths["after"]["calls"] == 1
    assert sum(row["calls"] for path, row in paths.items() if path.endswith("generator > step")) == 500
    assert set(paths) == {"worker", "worker > turn", "worker > turn > generator", "worker > turn > generator > step", "after"}
    assert not result["open"] and not result["mismatched"]


def test_nothing_is_lost_when_generators_and_errors_meet(lost_references):
    def generate():
        with wi.section("a"):
            with wi.section("b"):
                yield

    def use():
        half = generate()
        next(half)
        with wi.section("c"):
            half.close()
        with pytest.raises(ValueError):
            half = generate()
            next(half)
            half.throw(ValueError)

    assert lost_references(use, 2000) < 0.1
    gc.collect()
    assert threading.active_count() == 1
