"""within.threads: numbers of threads for a block, by the core, and by threadpoolctl what that knows beyond."""

import asyncio
import contextlib
import ctypes
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import threading
import types

import pytest

import within as wi

# A library with the functions of OpenBLAS that the wheels of NumPy have, and its number of threads.
BLAS = """
static int number = 8;
int scipy_openblas_get_num_threads64_(void) { return number; }
void scipy_openblas_set_num_threads64_(int n) { number = n; }
"""


@pytest.fixture(scope="module")
def blas(tmp_path_factory):
    """Such a library, loaded for itself alone, as the modules of Python are: a function that gives its number."""
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("blas")
    (folder / "blas.c").write_text(BLAS)
    path = folder / "libscipy_openblas64_-standin.so"
    subprocess.run(["cc", "-shared", "-fPIC", "blas.c", "-o", path], cwd=folder, check=True)
    library = ctypes.CDLL(str(path), mode=os.RTLD_LOCAL)
    return library.scipy_openblas_get_num_threads64_


@pytest.fixture(scope="module")
def openmp():
    """The real libgomp: a function that gives this thread's number."""
    try:
        return ctypes.CDLL("libgomp.so.1").omp_get_max_threads
    except OSError:
        pytest.skip("there is no libgomp")


def standin_path():
    (path,) = {line.split()[-1] for line in open("/proc/self/maps") if "openblas64_-standin" in line}
    return path


@pytest.fixture(autouse=True)
def without_threadpoolctl(monkeypatch):
    """Unless a test asks for it."""
    monkeypatch.delitem(sys.modules, "threadpoolctl", raising=False)


@pytest.fixture
def numbers(blas, openmp):
    """A function that gives both numbers, which a test leaves as they were."""
    before = blas(), openmp()
    yield lambda: (blas(), openmp())
    assert (blas(), openmp()) == before


def test_a_block_has_its_number(numbers):
    before = numbers()
    with wi.threads(3) as got:
        assert got is None and numbers() == (3, 3)
    assert numbers() == before
    with pytest.raises(ZeroDivisionError), wi.threads(1):
        1 / 0
    assert numbers() == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_blocks_end_in_any_order(numbers, order):
    before, stacks = numbers(), [contextlib.ExitStack() for _ in range(3)]
    for stack, n in zip(stacks, (1, 2, 3)):
        stack.enter_context(wi.threads(n))
    still_open = {0, 1, 2}
    for number in order:
        stacks[number].close()
        still_open.remove(number)
        assert numbers() == ((max(still_open) + 1,) * 2 if still_open else before)


@pytest.mark.parametrize("older_ends_first", [True, False])
def test_blocks_of_two_threads_overlap(numbers, older_ends_first):
    before, begun, ended = numbers(), threading.Event(), threading.Event()
    seen = []

    def work():
        mine = numbers()[1]
        with wi.threads(3):
            begun.set()
            ended.wait(60)
            seen.append(numbers())
        seen.append(numbers()[1] == mine)

    thread = threading.Thread(target=work)
    with contextlib.ExitStack() as stack:
        if older_ends_first:
            stack.enter_context(wi.threads(2))
        thread.start()
        assert begun.wait(60)
        if not older_ends_first:
            stack.enter_context(wi.threads(2))
        assert numbers() == (3 if older_ends_first else 2, 2)
    assert numbers() == (3, before[1])
    ended.set()
    thread.join()
    assert numbers() == before and seen == [(3, 3), True]


def test_a_block_that_ends_on_another_thread_leaves_that_threads_number_alone(numbers, capfd):
    before, seen = numbers(), []
    stack = contextlib.ExitStack()
    stack.enter_context(wi.threads(3))

    def close():
        mine = numbers()[1]
        stack.close()
        seen.append(numbers() == (before[0], mine))

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert seen == [True] and numbers() == (before[0], 3)
    ctypes.CDLL("libgomp.so.1").omp_set_num_threads(before[1])
    assert "ended on another thread than it began on" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (0, ValueError, "there must be 1 or more, not 0"),
        (-1, ValueError, "there must be 1 or more, not -1"),
        (1.5, TypeError, "float"),
        ("2", TypeError, "str"),
    ],
)
def test_what_cannot_be_is_refused(n, error, message):
    with pytest.raises(error, match=message):
        wi.threads(n)


def test_an_object_is_one_block_at_a_time(numbers):
    manager = wi.threads(2)
    assert repr(manager) == "<within.threads 2>"
    with manager, pytest.raises(RuntimeError, match="<within.threads 2> is open already"):
        manager.__enter__()
    with pytest.raises(RuntimeError, match="is not open"):
        manager.__exit__(None, None, None)


def test_decorated_functions_have_it_at_each_call(numbers):
    before = numbers()

    @wi.threads(3)
    def function(depth):
        return numbers() if depth == 0 else function(depth - 1)

    @wi.threads(2)
    async def coroutine():
        await asyncio.sleep(0)
        return numbers()

    assert function(2) == (3, 3) and asyncio.run(coroutine()) == (2, 2) and numbers() == before


def test_numpy_calculates_with_it():
    numpy = pytest.importorskip("numpy")
    paths = {line.split()[-1] for line in open("/proc/self/maps") if "numpy.libs" in line and "openblas" in line}
    if not paths:
        pytest.skip("this NumPy has no OpenBLAS of its own")
    library = ctypes.CDLL(paths.pop())
    number = library.scipy_openblas_get_num_threads64_
    library.scipy_openblas_set_num_threads64_(2)
    before = number()
    with wi.threads(1):
        assert number() == 1
        assert numpy.trace(numpy.eye(200) @ numpy.eye(200)) == 200
    assert number() == before


# ---- what threadpoolctl knows beyond the core ----


class Other:
    """What threadpoolctl has for a library, after its documentation."""

    user_api, filepath = "blas", "lib.so"

    def __init__(self, internal_api="flexiblas"):
        self.internal_api, self.num_threads = internal_api, 8

    def set_num_threads(self, n):
        self.num_threads = n


@pytest.fixture
def other(monkeypatch):
    """A library of its own, in a stand-in for threadpoolctl that the program has imported; one of the core's beside it."""
    found, of_core = Other(), Other("openblas")

    def controller():
        return types.SimpleNamespace(lib_controllers=[of_core, found])

    monkeypatch.setitem(sys.modules, "threadpoolctl", types.SimpleNamespace(ThreadpoolController=controller))
    yield found
    assert (found.num_threads, of_core.num_threads) == (8, 8)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_others_are_set_by_threadpoolctl_and_blocks_end_in_any_order(other, numbers, order):
    before, stacks = numbers(), [contextlib.ExitStack() for _ in range(3)]
    for stack, n in zip(stacks, (1, 2, 3)):
        stack.enter_context(wi.threads(n))
    still_open = {0, 1, 2}
    for number in order:
        stacks[number].close()
        still_open.remove(number)
        newest = max(still_open) + 1 if still_open else None
        assert (other.num_threads, *numbers()) == ((newest,) * 3 if newest else (8, *before))


def test_a_library_that_fails_leaves_all_as_it_was(other, numbers, monkeypatch):
    before = numbers()
    set_it = other.set_num_threads

    def refuse(n):
        set_it(n)
        if n == 3:
            raise OSError("no")

    monkeypatch.setattr(other, "set_num_threads", refuse)
    with pytest.raises(OSError, match="no"), wi.threads(3):
        pass
    assert numbers() == before and other.num_threads == 8


def test_what_is_registered_with_the_real_threadpoolctl(python, blas, tmp_path):
    if not importlib.util.find_spec("threadpoolctl"):
        pytest.skip("there is no threadpoolctl")
    shutil.copy(standin_path(), tmp_path / "libmine.so")
    done = python(
        """
import ctypes, threadpoolctl, within as wi

class Controller(threadpoolctl.LibController):
    user_api, internal_api, filename_prefixes = "mine", "mine", ("libmine",)
    check_symbols = ("scipy_openblas_get_num_threads64_",)
    number = 8

    def get_num_threads(self):
        return Controller.number

    def set_num_threads(self, n):
        Controller.number = n

    def get_version(self):
        return None

threadpoolctl.register(Controller)
library = ctypes.CDLL("./libmine.so")
with wi.threads(3):
    print(Controller.number)
print(Controller.number)
"""
    )
    assert done.stdout == "3\n8\n"


def test_threadpoolctl_is_not_imported(python, tmp_path):
    (tmp_path / "threadpoolctl.py").write_text("print('imported')")
    assert python("import within as wi\nwith wi.threads(2): pass").stdout == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_puts_back_its_own(python):
    done = python(
        """
import ctypes, os, within as wi
try:
    openmp = ctypes.CDLL("libgomp.so.1").omp_get_max_threads
except OSError:
    openmp = lambda: 0
before = openmp()
with wi.threads(3):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0 and openmp() in (0, 3)
if not child:
    os._exit(openmp() != before)
print(openmp() == before)
"""
    )
    assert done.stdout == "True\n"


def test_nothing_is_lost(numbers, lost_references):
    def use():
        with wi.threads(2):
            pass

    assert lost_references(use, 200) < 0.1
