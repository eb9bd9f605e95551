"""fp_guard, rounding and flush_denormals: arithmetic of Python, of C code below it, and of NumPy (test_fp_numpy.py)."""

import asyncio
import contextlib
import ctypes
import gc
import itertools
import math
import os
import sys
import threading

import pytest

import within as wi

inf, one, three, tiny = float("inf"), 1.0, 3.0, sys.float_info.min
libm = ctypes.CDLL("libm.so.6")
fetestexcept, feclearexcept = libm.fetestexcept, libm.feclearexcept
INVALID, DIVIDE = 1, 4 if os.uname().machine == "x86_64" else 2
USUAL = "invalid", "divide", "overflow"


@pytest.fixture(autouse=True)
def clean():
    feclearexcept(0x3D)
    yield
    assert one / three == 1 / 3 and tiny / 2 > 0


def make_nan():
    return inf - inf


def overflow():
    return (one * 1e308) * 1e308


# ---- fp_guard ----


def test_what_the_block_made_is_an_error_at_its_end():
    with pytest.raises(FloatingPointError, match="^fp_guard: invalid operation and overflow in this block$"):
        with wi.fp_guard(*USUAL):
            make_nan()
            overflow()
            after = True
    assert after


def test_a_clean_block_has_none():
    with wi.fp_guard(*USUAL):
        one / three


def test_what_is_not_looked_for_is_none():
    with wi.fp_guard("divide"):
        make_nan()


def test_a_return_is_an_end():
    def solve():
        with wi.fp_guard("invalid"):
            return make_nan()

    with pytest.raises(FloatingPointError):
        solve()


def test_flags_outside_are_as_they_were():
    make_nan()
    for leave in (lambda: None, overflow, lambda: 1 / 0):
        with contextlib.suppress(ArithmeticError), wi.fp_guard(*USUAL):
            assert not fetestexcept(INVALID)
            leave()
        assert fetestexcept(INVALID)
    feclearexcept(INVALID)
    with pytest.raises(FloatingPointError), wi.fp_guard(*USUAL):
        make_nan()
    assert not fetestexcept(INVALID)


def test_the_bodys_exception_passes_on():
    with pytest.raises(KeyError), wi.fp_guard("invalid"):
        make_nan()
        raise KeyError


def test_c_code_is_seen():
    log = libm.log
    log.restype, log.argtypes = ctypes.c_double, [ctypes.c_double]
    with pytest.raises(FloatingPointError, match="division by zero"), wi.fp_guard(*USUAL):
        log(0.0)
    with pytest.raises(FloatingPointError, match="invalid operation"), wi.fp_guard(*USUAL):
        log(-1.0)


def test_nested_each_reports_its_own():
    with wi.fp_guard(*USUAL):
        with pytest.raises(FloatingPointError, match="invalid"), wi.fp_guard("invalid"):
            make_nan()
    with pytest.raises(FloatingPointError, match="overflow"), wi.fp_guard("overflow"):
        with wi.fp_guard("invalid"):
            overflow()


REFUSED = [("x", ValueError), ("Invalid", ValueError), (1, TypeError), (None, TypeError)]


@pytest.mark.parametrize("wrong, error", REFUSED)
def test_what_is_no_kind_is_refused(wrong, error):
    with pytest.raises(error):
        wi.fp_guard("invalid", wrong)
    with pytest.raises(error):
        wi.rounding(wrong)


def test_messages_of_what_is_refused():
    kinds = "'invalid', 'divide', 'overflow', 'underflow' and 'inexact'"
    with pytest.raises(ValueError, match=f"^fp_guard: 'x' is none of {kinds}$"):
        wi.fp_guard("x")
    with pytest.raises(ValueError, match="^fp_guard: name what it shall look for"):
        wi.fp_guard()
    with pytest.raises(TypeError):
        wi.fp_guard("invalid", traps=True)


def traps():
    try:
        with wi.fp_guard("invalid", trap=True):
            return True
    except OSError as error:
        assert "this processor cannot trap invalid operation" in str(error)
        return False


@pytest.mark.skipif(not traps(), reason="this processor has no traps")
def test_a_trap_tells_the_function():
    log = libm.log
    log.restype, log.argtypes = ctypes.c_double, [ctypes.c_double]
    place = r"in \w+(\+0x[0-9a-f]+ \(libm[^)]*\)|[^)]*)"
    with pytest.raises(FloatingPointError, match=rf"^fp_guard: division by zero in this block, first {place}$"):
        with wi.fp_guard(*USUAL, trap=True):
            assert log(0.0) == -inf
    with pytest.raises(FloatingPointError, match="invalid operation and overflow in this block, first in "):
        with wi.fp_guard(*USUAL, trap=True):
            assert math.isnan(make_nan()) and overflow() == inf and math.isnan(make_nan())
    assert math.isnan(make_nan())


@pytest.mark.skipif(not traps(), reason="this processor has no traps")
def test_threads_started_in_a_trapping_block_go_on(python):
    python("""
import faulthandler, threading, within as wi
faulthandler.enable()
go = threading.Event()
def work():
    go.wait()
    float("inf") - float("inf")
with wi.fp_guard("invalid", trap=True):
    thread = threading.Thread(target=work)
    thread.start()
go.set()
thread.join()
""")


# ---- modes ----


def test_a_block_rounds_in_its_direction():
    results = {}
    for mode in "nearest", "upward", "downward", "towardzero":
        with wi.rounding(mode):
            results[mode] = one / three, -one / three
    assert results["downward"][0] == results["towardzero"][0] < results["upward"][0]
    assert results["upward"][1] == results["towardzero"][1] > results["downward"][1]
    assert results["nearest"] == (1 / 3, -1 / 3)


def test_denormals_are_flushed_or_not():
    with wi.flush_denormals(True):
        assert tiny / 2 == 0
        with wi.flush_denormals(False):
            assert tiny / 2 > 0
        assert tiny / 2 == 0
    assert tiny / 2 > 0


def test_numbers_are_read_and_printed_in_any_mode():
    for mode in "upward", "downward", "towardzero":
        with wi.rounding(mode):
            assert abs(float("0.1") - 0.1) < 1e-16 and float(repr(0.1)) > 0 and f"{1.5:.3f}" == "1.500"


def managers():
    return wi.rounding("upward"), wi.flush_denormals(True), wi.rounding("downward"), wi.fp_guard("invalid")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_blocks_may_end_in_any_order(order):
    make_nan()
    opened = managers()
    for manager in opened:
        manager.__enter__()
    for i in order:
        opened[i].__exit__(None, None, None)
    assert fetestexcept(INVALID)


# ---- objects ----


@pytest.mark.parametrize("manager", managers(), ids=lambda manager: type(manager).__name__)
def test_an_object_is_used_again_but_not_twice_at_a_time(manager):
    for _ in range(2):
        with manager as same:
            assert same is manager
            with pytest.raises(RuntimeError, match="it is in a block already; use one for each block"):
                manager.__enter__()
    with pytest.raises(RuntimeError, match="it is in no block"):
        manager.__exit__(None, None, None)


@pytest.mark.parametrize("manager", managers(), ids=lambda manager: type(manager).__name__)
def test_a_block_ends_on_its_own_thread(manager):
    said = []

    def leave():
        try:
            manager.__exit__(None, None, None)
        except RuntimeError as error:
            said.append(str(error))

    with manager:
        thread = threading.Thread(target=leave)
        thread.start()
        thread.join()
    (text,) = said
    assert text.endswith(": its block was entered on another thread, whose arithmetic stays as it is")


def test_an_open_block_keeps_its_object():
    def open_one():
        wi.rounding("upward").__enter__()

    thread = threading.Thread(target=open_one)
    thread.start()
    thread.join()
    gc.collect()
    with wi.rounding("downward"):
        pass


def test_a_subclass_is_entered_as_others_are():
    class Careful(wi.fp_guard):
        pass

    with pytest.raises(FloatingPointError), Careful("invalid"):
        make_nan()


def test_nothing_is_lost(lost_references):
    def use():
        with wi.rounding("upward"), wi.flush_denormals(True):
            pass
        with contextlib.suppress(FloatingPointError), wi.fp_guard("invalid"):
            make_nan()
        with contextlib.suppress(ValueError):
            wi.fp_guard("x")

    assert lost_references(use, 20_000) < 0.01


def test_tasks_of_one_thread_share_its_arithmetic():
    async def other():
        return one / three

    async def block():
        with wi.rounding("upward"):
            return await asyncio.create_task(other())

    assert asyncio.run(block()) > 1 / 3  # as the documentation warns


def test_the_ledger_tells_what_is_on(python, tmp_path, read_record):
    python("""
import os, within as wi
with wi.rounding("downward"), wi.fp_guard("invalid"), wi.section("solve"):
    os.kill(os.getpid(), 9)
""", fails=True, WITHIN_RECORD=tmp_path / "record")
    held = {(each["kind"], each["what"]) for each in read_record(tmp_path / "record")["open"]}
    assert held > {("rounding", "downward"), ("fp_guard", "invalid operation")}
