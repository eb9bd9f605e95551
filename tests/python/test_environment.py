"""within.environment: variables for a block, in os.environ and in C, and all of them as they were afterwards."""

import asyncio
import contextlib
import ctypes
import itertools
import os
import subprocess
import sys
import threading

import pytest

import within as wi

libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p


def in_c(name):
    return libc.getenv(os.fsencode(name))


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """Each test finds A set and B not, and leaves all as it was."""
    monkeypatch.setenv("A", "1")
    monkeypatch.delenv("B", raising=False)
    before = variables()
    yield
    assert variables() == before


def variables():
    """Those of Python and of C, without the one that pytest changes between a test and its end."""
    in_python = {name: value for name, value in os.environb.items() if name != b"PYTEST_CURRENT_TEST"}
    return in_python, sorted(text for text in environ_of_c() if not text.startswith(b"PYTEST_CURRENT_TEST="))


def environ_of_c():
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    return list(itertools.takewhile(lambda string: string is not None, environ))


def expect(**values):
    """os.environ, os.environb, C and a started program have these; None for those that are not set."""
    shown = subprocess.run(["env", "-0"], stdout=subprocess.PIPE, check=True).stdout.split(b"\0")
    for name, value in values.items():
        encoded = None if value is None else os.fsencode(value)
        assert os.environ.get(name) == value and os.environb.get(os.fsencode(name)) == encoded
        assert in_c(name) == encoded
        assert [text for text in shown if text.startswith(os.fsencode(name) + b"=")] == (
            [] if value is None else [os.fsencode(f"{name}={value}")]
        )


def test_variables_are_set_and_unset_for_a_block():
    with wi.environment(A=None, B="2") as got:
        assert got is None
        expect(A=None, B="2")
    expect(A="1", B=None)


def test_names_that_are_no_identifiers_and_values_of_bytes_and_paths(tmp_path):
    variables = {"a name.": "é \n", b"B": b"\xff", "FOLDER": tmp_path}
    with wi.environment(variables, A=""):
        expect(**{"a name.": "é \n", "B": "\udcff", "FOLDER": str(tmp_path), "A": ""})
    expect(**{"a name.": None, "B": None, "FOLDER": None, "A": "1"})


def test_what_anybody_does_in_the_block_is_undone():
    before, order = dict(os.environ), environ_of_c()
    for variables in {}, {"A": "2", "B": "2"}:
        with wi.environment(variables):
            os.environ["A"] = "3"
            os.environ["C"] = "3"
            del os.environ["PATH"]
            libc.setenv(b"D", b"4", 1)
            libc.unsetenv(b"HOME")
        assert dict(os.environ) == before and environ_of_c() == order
        with wi.environment(variables):
            os.environ.clear()
            libc.clearenv()
        assert dict(os.environ) == before and environ_of_c() == order


def test_what_differed_between_python_and_c_differs_again():
    libc.setenv(b"B", b"of a library", 1)
    try:
        with wi.environment(A="2", B=None):
            expect(A="2", B=None)
        assert in_c("B") == b"of a library" and "B" not in os.environ
        with wi.environment():
            os.environ["B"] = "3"
        assert in_c("B") == b"of a library" and "B" not in os.environ
    finally:
        libc.unsetenv(b"B")


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_passes_and_restores(error):
    with pytest.raises(error), wi.environment(A="2"):
        raise error
    expect(A="1")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"B": "2", "": "1"}, "environment: the name of a variable must not be empty"),
        ({"B": "2", "C=D": None}, "environment: the name of a variable must not have a '=': C=D"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_changed(variables, message):
    with pytest.raises(ValueError) as caught, wi.environment(variables):
        pass
    assert str(caught.value) == message
    expect(B=None)


@pytest.mark.parametrize(
    ("variables", "error", "message"),
    [
        ({"B": 4}, TypeError, "environment(): the value of B must be str, bytes or a path, not int"),
        ({4: "B"}, TypeError, "environment(): a name must be str, bytes or a path, not int"),
        ({"B": "\0"}, ValueError, "environment(): the value of B has a null byte in it: '\\x00'"),
    ],
)
def test_other_types_and_null_bytes_are_refused(variables, error, message):
    with pytest.raises(error) as caught:
        wi.environment(variables)
    assert str(caught.value) == message


def test_an_object_is_one_block_at_a_time():
    manager = wi.environment(A="2", B=None)
    assert repr(manager) == "<within.environment A, B>"
    with manager:
        with pytest.raises(RuntimeError, match="<within.environment A, B> is open already"):
            manager.__enter__()
        expect(A="2")
    with manager:
        expect(A="2")
    with pytest.raises(RuntimeError, match="is not open"):
        manager.__exit__(None, None, None)


def test_nested_blocks():
    with wi.environment(A="2", B="2"):
        os.environ["C"] = "2"
        with wi.environment(A="3", B=None, C=None):
            expect(A="3", B=None, C=None)
        expect(A="2", B="2", C="2")
    expect(A="1", B=None, C=None)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_blocks_end_in_any_order(order):
    stacks = [contextlib.ExitStack() for _ in range(3)]
    stacks[0].enter_context(wi.environment(A="2", B="2", X="2"))
    stacks[1].enter_context(wi.environment(A="3", Y="3"))
    os.environ["BETWEEN"] = "3"
    stacks[2].enter_context(wi.environment(B="4", X=None, Z="4"))
    still_open = {0, 1, 2}
    for number in order:
        stacks[number].close()
        still_open.remove(number)
        a = "3" if 1 in still_open else "2" if 0 in still_open else "1"
        b = "4" if 2 in still_open else "2" if 0 in still_open else None
        between = "3" if 1 in still_open else None
        expect(A=a, B=b, Y=between, BETWEEN=between, Z="4" if 2 in still_open else None)


def test_threads_leave_nothing_behind():
    def work(number):
        for i in range(100):
            with wi.environment({f"THREAD{number}": str(i), "A": str(i)}):
                assert os.environ[f"THREAD{number}"] == str(i)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(A="1", THREAD0=None)


def test_decorated_functions_are_in_a_block_at_each_call():
    @wi.environment(A="2")
    def function(depth):
        """What it does."""
        assert os.environ["A"] == "2"
        return depth if depth == 0 else function(depth - 1)

    @wi.environment(A="3")
    def generator():
        yield in_c("A")
        yield in_c("A")

    @wi.environment(A="4")
    async def coroutine():
        await asyncio.sleep(0)
        return in_c("A")

    assert (function.__name__, function.__doc__, function(3)) == ("function", "What it does.", 0)
    assert list(generator()) == [b"3", b"3"] and in_c("A") == b"1"
    assert asyncio.run(coroutine()) == b"4"
    with pytest.raises(TypeError, match="environment decorates functions, not class 'C'"):

        @wi.environment(A="2")
        class C:
            pass


def test_an_os_environ_that_the_program_has_replaced(monkeypatch):
    mine = {"A": "mine", "ONLY": "here"}
    monkeypatch.setattr(os, "environ", mine)
    with wi.environment(A="2", B="2"):
        assert mine == {"A": "2", "B": "2", "ONLY": "here"}
        assert in_c("A") == b"2"
        mine.clear()
    assert mine == {"A": "mine", "ONLY": "here"} and in_c("A") == b"1"
    inner = wi.environment(A="3")
    with inner:
        monkeypatch.undo()  # what was there at the block's begin is restored
    assert mine["A"] == "mine"
    monkeypatch.setenv("A", "1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_restores_its_own(python):
    done = python(
        """
import os, within as wi

with wi.environment(A="2"):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        assert os.environ["A"] == "2"
    else:
        os.environ["B"] = "child"
assert os.environ["A"] == "1" and "B" not in os.environ
if not child:
    os._exit(os.system('test "$A" = 1 && test -z "$B"') != 0)
print("parent")
"""
    )
    assert done.stdout == "parent\n"


def test_a_block_that_nobody_ends_is_ended_in_c_when_its_object_is_freed():
    block = wi._within.CoreBlock.environment(((b"B", b"2"),))
    assert in_c("B") == b"2"
    del block
    assert in_c("B") is None


def test_nothing_is_lost(lost_references):
    def use():
        with wi.environment({"A": "2", "B": None}):
            pass

    def fail():
        with contextlib.suppress(ValueError), wi.environment({"": "2"}):
            pass

    for action in use, fail:
        assert lost_references(action, 500) < 0.05
    assert sys.getrefcount(wi.environment) < 10_000
