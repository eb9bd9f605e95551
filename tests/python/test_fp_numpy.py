"""fp_guard and NumPy: its errors come by errstate, whose settings are as they were afterwards."""

import contextlib
import ctypes
import re
import threading
import warnings

import pytest

import within as wi

np = pytest.importorskip("numpy")

inf, one = float("inf"), 1.0
USUAL = "invalid", "divide", "overflow"
libm = ctypes.CDLL("libm.so.6")
libm.log.restype, libm.log.argtypes = ctypes.c_double, [ctypes.c_double]


@pytest.fixture(autouse=True)
def as_before():
    """errstate is NumPy's own before a test, and unchanged by it; warnings are not looked at."""
    before = np.geterr(), np.geterrcall()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    assert (np.geterr(), np.geterrcall()) == before


def divide(n=1):
    return np.ones(n) / np.zeros(n)


def line_of(function):
    return f"{__file__}:{function.__code__.co_firstlineno + 1} in {function.__name__}"


def guarded(function, *kinds, **options):
    """What the block's exception says; None without one."""
    try:
        with wi.fp_guard(*kinds or USUAL, **options):
            function()
    except FloatingPointError as error:
        return str(error)
    return None


def traps():
    try:
        return guarded(lambda: None, trap=True) is None
    except OSError:
        return False


# ---- reported ----


def test_the_exception_names_the_line():
    assert guarded(divide) == f"fp_guard: division by zero in NumPy, called at {line_of(divide)}"


def test_several_kinds_are_named_with_the_first_line():
    def all_of_them():
        divide()
        np.log(np.array([-1.0]))
        np.exp(np.array([1e4]))

    kinds = "invalid operation, division by zero and overflow"
    assert guarded(all_of_them) == f"fp_guard: {kinds} in NumPy, first called at {line_of(divide)}"


def test_later_operations_hide_nothing():
    def divide_then_add():
        divide(1000)
        np.ones(1000) + 1

    assert "division by zero" in guarded(divide_then_add)


def test_scalars_and_big_arrays():
    assert "division by zero" in guarded(lambda: np.float64(1) / np.float64(0))
    assert "overflow" in guarded(lambda: np.full(100_000, 1e300) ** 2)
    assert "underflow" in guarded(lambda: np.full(100, 1e-300) ** 2, "underflow")


def test_numpys_own_python_code_is_not_the_place():
    def deviate():
        np.var(np.array([inf, 1.0]))

    assert guarded(deviate) == f"fp_guard: invalid operation in NumPy, called at {line_of(deviate)}"


def test_what_is_not_looked_for_is_none():
    assert guarded(divide, "invalid", "overflow") is None


def test_clean_arithmetic_is_none():
    assert guarded(lambda: np.linalg.solve(np.eye(3), np.ones(3)).sum()) is None


def test_the_bodys_exception_passes_on():
    with pytest.raises(KeyError), wi.fp_guard("divide"):
        divide()
        raise KeyError


# ---- errstate ----


def test_an_errstate_inside_wins():
    def ignored():
        with np.errstate(divide="ignore"):
            divide()

    assert guarded(ignored) is None

    def raised():
        with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero encountered"):
            divide()

    assert guarded(raised) is None


def test_an_errstate_that_raises_outside_raises_at_once():
    with np.errstate(divide="raise"), wi.fp_guard("divide"):
        with pytest.raises(FloatingPointError, match="divide by zero encountered in"):
            divide()


def test_one_that_ignores_outside_does_not():
    with np.errstate(all="ignore"):
        assert "division by zero" in guarded(divide)
        divide()


def test_warnings_stay_and_name_the_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert guarded(divide)
    (warning,) = caught
    assert str(warning.message) == "divide by zero encountered" and warning.category is RuntimeWarning
    assert f"{warning.filename}:{warning.lineno} in divide" == line_of(divide)


def test_warnings_that_are_errors_are_raised_at_once():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning), wi.fp_guard("divide"):
            divide()


def test_callbacks_logs_and_prints_stay(capsys):
    said = []

    class Log:
        write = staticmethod(said.append)

    with np.errstate(divide="call", call=lambda text, flag: said.append(text)):
        assert guarded(divide)
        assert guarded(divide, "divide")
        assert guarded(divide, "invalid") is None
    with np.errstate(divide="log", call=Log()):
        assert guarded(divide)
    with np.errstate(divide="print"):
        assert guarded(divide)
    assert said == ["divide by zero"] * 3 + ["Warning: divide by zero encountered\n"]
    assert capsys.readouterr().out == "Warning: divide by zero encountered\n"


def test_what_else_is_set_in_the_block_is_left():
    before = np.geterr()["under"]
    with wi.fp_guard("divide"):
        np.seterr(under="print")
    assert np.geterr()["under"] == "print"
    np.seterr(under=before)


# ---- nested ----


def test_each_reports_its_own_and_warnings_are_said_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with wi.fp_guard(*USUAL):
            assert "division by zero" in guarded(divide, "divide")
    assert len(caught) == 1
    with pytest.raises(FloatingPointError, match="division by zero in NumPy"), wi.fp_guard("divide"):
        with wi.fp_guard("invalid"):
            divide()


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_blocks_may_end_in_any_order(order):
    guards = [wi.fp_guard("divide", "invalid"), wi.fp_guard("divide"), wi.fp_guard("overflow", "invalid")]
    for guard in guards:
        guard.__enter__()
    for i in order[:2]:
        guards[i].__exit__(None, None, None)
    divide()
    np.array([inf]) - inf
    innermost = guards[order[2]]
    kinds = ["invalid operation and division by zero", "division by zero", "invalid operation"][order[2]]
    with pytest.raises(FloatingPointError, match=f"fp_guard: {kinds} in NumPy"):
        innermost.__exit__(None, None, None)


# ---- beside NumPy ----


def test_a_block_without_numpy_sees_c_code():
    assert guarded(lambda: libm.log(0.0)) == "fp_guard: division by zero in this block"
    assert guarded(lambda: (np.zeros(3), np.empty(3)[0], libm.log(0.0))) == "fp_guard: division by zero in this block"


def test_what_numpy_leaves_behind_is_not_the_blocks():
    def leave():
        with np.errstate(all="ignore"):
            divide()
            np.log(np.array([-1.0]))

    assert guarded(leave) is None

    def nested():
        with wi.fp_guard("invalid"):
            leave()

    assert guarded(nested) is None


@pytest.mark.skipif(not traps(), reason="this processor has no traps")
def test_a_trap_sees_c_code_beside_numpy():
    def both():
        np.linspace(0, 1, 100) + 1
        libm.log(0.0)
        np.linspace(0, 1, 100) + 1

    assert guarded(both) is None
    assert re.match(r"fp_guard: division by zero in this block, first in .*libm", guarded(both, trap=True))


@pytest.mark.skipif(not traps(), reason="this processor has no traps")
def test_a_trap_tells_numpys_function_and_the_line():
    said = guarded(lambda: divide(1000), trap=True)
    assert re.match(r"fp_guard: division by zero in this block, first in .*umath", said)
    assert said.endswith(f"; division by zero in NumPy, called at {line_of(divide)}")
    assert guarded(lambda: np.linalg.inv(np.eye(50)) @ np.ones(50), trap=True) is None


# ---- threads, interrupts ----


def test_threads_have_guards_of_their_own():
    said = {}

    def work(name, function):
        for _ in range(50):
            said[name] = guarded(function)

    threads = [threading.Thread(target=work, args=each) for each in (("bad", divide), ("good", lambda: np.ones(9) + 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said["good"] is None and "division by zero" in said["bad"]


def test_an_interrupt_while_errstate_is_put_back_is_not_lost(monkeypatch):
    seterr, calls = np.seterr, []

    def interrupted(**modes):
        calls.append(modes)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return seterr(**modes)

    monkeypatch.setattr(np, "seterr", interrupted)
    with pytest.raises(KeyboardInterrupt), wi.fp_guard("divide"):
        pass
    assert len(calls) == 3


def test_nothing_is_lost(lost_references):
    def use():
        with contextlib.suppress(FloatingPointError), wi.fp_guard("divide"):
            divide()

    assert lost_references(use, 20_000) < 0.01


def test_numpy_is_not_imported_by_a_guard(python):
    python("import sys, within as wi\nwith wi.fp_guard('invalid'): pass\nassert 'numpy' not in sys.modules")
