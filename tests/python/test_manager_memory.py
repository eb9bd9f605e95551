"""The managers of within.contextlib leak nothing, over 100,000 uses and when any allocation fails."""

import gc
import io
import subprocess
import sys

import pytest
from within.contextlib import (
    AsyncExitStack,
    ExitStack,
    aclosing,
    closing,
    nullcontext,
    redirect_stdout,
    suppress,
)


class Closed:
    def close(self):
        pass

    async def aclose(self):
        pass


def use_stack():
    with ExitStack() as stack:
        stack.enter_context(nullcontext(stack))
        stack.callback(int)
        stack.callback(int, "1")
        stack.callback(int, "1", base=2)
        stack.push(lambda *details: None)
        stack.push(nullcontext())


def use_stack_with_exceptions():
    with suppress(KeyError):
        with ExitStack() as stack:
            stack.callback({}.__getitem__, 1)
            stack.enter_context(suppress(IndexError))
            stack.callback([].pop)
            stack.push(lambda *details: 1 / 0)
            stack.push(lambda *details: True)
            raise OSError


def use_exit_callbacks():
    with ExitStack() as stack:
        stack.callback(int, "1")
        stack.enter_context(nullcontext())
        assert len(stack._exit_callbacks) == 2
        stack.callback(int)
        stack.pop_all().close()


def use_errors_of_enter_context():
    with suppress(TypeError, AttributeError), ExitStack() as stack:
        stack.callback(int)
        stack.enter_context(3)


def use_small_managers():
    thing = Closed()
    with nullcontext(thing), closing(thing), redirect_stdout(io.StringIO()):
        pass
    with nullcontext(enter_result=1), suppress(ValueError, TypeError):
        int("x")


def use_subclass():
    class Stack(ExitStack):
        pass

    with Stack() as stack:
        stack.note = stack
        stack.callback(int)


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        pass


async def asynchronous():
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(nullcontext(stack))
        await stack.enter_async_context(aclosing(Closed()))
        stack.push_async_callback(Closed().aclose)
        stack.push_async_exit(nullcontext())
        stack.callback(int)
    async with aclosing(Closed()):
        pass
    with suppress(ZeroDivisionError):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(nullcontext(stack))
            stack.push_async_callback(lambda: 1 / 0)


def use_asynchronous():
    drive(asynchronous())


USES = [
    (use_stack, 100_000),
    (use_stack_with_exceptions, 30_000),
    (use_exit_callbacks, 30_000),
    (use_errors_of_enter_context, 20_000),
    (use_small_managers, 30_000),
    (use_subclass, 1_000),
    (use_asynchronous, 20_000),
]

count = getattr(sys, "gettotalrefcount", sys.getallocatedblocks)


@pytest.mark.parametrize("use, times", USES, ids=lambda value: getattr(value, "__name__", ""))
def test_nothing_grows(use, times):
    def repeat(times):
        for _ in range(times):
            use()
        gc.collect()
        return count()

    repeat(100)
    types = [ExitStack, AsyncExitStack, nullcontext, suppress, closing, aclosing]
    references = [sys.getrefcount(type_) for type_ in types]
    before = repeat(100)
    after = repeat(times)
    assert after - before < max(50, times / 100)
    assert max(abs(sys.getrefcount(t) - old) for t, old in zip(types, references)) < 20


def test_references_to_constants_stay_even():
    if sys.version_info >= (3, 12):
        pytest.skip("constants are immortal since 3.12")
    before = [sys.getrefcount(constant) for constant in (None, True, False)]
    for _ in range(10_000):
        use_stack()
        use_stack_with_exceptions()
        use_small_managers()
    after = [sys.getrefcount(constant) for constant in (None, True, False)]
    assert max(abs(new - old) for new, old in zip(after, before)) < 100


# One allocation fails, the next works again: if all fail, CPython itself aborts. Each scenario ends in success
# or in a MemoryError, with the lock free. Each is run before, so that what is cached is there.
NO_MEMORY = """
import sys, threading, _testcapi
from within.contextlib import *
import within.contextlib
lock = threading.Lock()

def many():
    with ExitStack() as stack:
        stack.enter_context(lock)
        for i in range(20):
            stack.callback(dict, key=i)
            stack.push(nullcontext(stack))

def raising():
    with suppress(KeyError):
        with ExitStack() as stack:
            stack.enter_context(lock)
            stack.callback({}.__getitem__, 1)
            raise OSError

class Manager:
    def __enter__(self):
        for i in range(8):  # now the stack's array is full again
            self.stack.callback(int, i)
        return lock.acquire()

    def __exit__(self, *details):
        lock.release()

def nested():
    manager = Manager()
    with ExitStack() as stack:
        manager.stack = stack
        stack.enter_context(manager)

class Probe:
    def __init__(self):
        self.entered = self.exited = False

    def __enter__(self):
        self.entered = True

    def __exit__(self, *details):
        self.exited = True

def room():
    # What there is no room for is not entered.
    probe = Probe()
    with ExitStack() as stack:
        for _ in range(4):
            stack.callback(int)
        try:
            stack.enter_context(probe)
        except MemoryError:
            assert not probe.exited
            raise

def callbacks():
    with ExitStack() as stack:
        stack.callback(int, 1)
        stack._exit_callbacks
        stack.callback(int, 1)
        stack.enter_context(lock)
        stack.pop_all().close()

async def asynchronous():
    async with AsyncExitStack() as stack:
        stack.enter_context(lock)
        await stack.enter_async_context(nullcontext((1, 2)))
        stack.push_async_callback(nullcontext().__aenter__)
        stack.push_async_callback(nullcontext(1).__aenter__)
    async with nullcontext(1):
        pass

def drive():
    coroutine = asynchronous()
    try:
        coroutine.send(None)
    except StopIteration:
        pass

def run(scenario):
    for start in range(1, 200):
        failed = False
        _testcapi.set_nomemory(start, start + 1)
        try:
            scenario()
        except MemoryError:
            failed = True
        finally:
            _testcapi.remove_mem_hooks()
        assert not lock.locked(), (scenario.__name__, start)
    assert not failed, "there are more allocations than were tried"

for scenario in (many, raising, nested, room, callbacks, drive):
    for _ in range(3):
        scenario()
    run(scenario)
print("done")
"""


def test_every_allocation_can_fail():
    testcapi = pytest.importorskip("_testcapi")
    if not hasattr(testcapi, "set_nomemory"):
        pytest.skip("this interpreter's _testcapi has no set_nomemory")
    run = subprocess.run([sys.executable, "-c", NO_MEMORY], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr[-2000:]
