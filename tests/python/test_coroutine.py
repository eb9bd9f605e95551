"""The coroutines of asynchronous managers behave as those of `async def` do; tests with `lib` show it."""

import asyncio
import collections.abc
import contextlib
import gc
import inspect
import sys
import types
import warnings
import weakref

import pytest
import within.contextlib


@pytest.fixture(params=[contextlib, within.contextlib], ids=["standard", "within"])
def lib(request):
    return request.param


@types.coroutine
def suspend(value=None):
    return (yield value)


class Manager:
    """Its exit hands out 1, then 2, and keeps what it was sent."""

    def __init__(self):
        self.got = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *details):
        for number in (1, 2):
            try:
                self.got.append(await suspend(number))
            except KeyError as error:
                self.got.append(error)
        return True


def suspended(lib):
    manager = Manager()
    stack = lib.AsyncExitStack()
    stack.push_async_exit(manager)
    closing = stack.aclose()
    assert closing.send(None) == 1
    return manager, closing


def test_is_a_coroutine(lib):
    coroutine = lib.nullcontext(1).__aenter__()
    assert isinstance(coroutine, collections.abc.Coroutine) and inspect.isawaitable(coroutine)
    assert asyncio.iscoroutine(coroutine)
    assert coroutine.__name__ == "__aenter__" and coroutine.__qualname__ == "nullcontext.__aenter__"
    assert "coroutine object nullcontext.__aenter__" in repr(coroutine)
    assert coroutine.cr_await is None and coroutine.cr_running is False
    coroutine.close()


def test_tasks_and_run_take_it(lib):
    async def main():
        stack = lib.AsyncExitStack()
        task = asyncio.ensure_future(stack.__aenter__())
        assert "__aenter__" in repr(task)
        assert await task is stack

    asyncio.run(main())
    asyncio.run(lib.AsyncExitStack().aclose())


@pytest.mark.parametrize("value", [None, 0, (), (1, 2), StopIteration(1), KeyError(1)], ids=repr)
def test_every_value_is_returned(lib, value):
    async def main():
        return await lib.nullcontext(value).__aenter__()

    with pytest.raises(StopIteration) as info:
        main().send(None)
    assert info.value.value is value
    with pytest.raises(StopIteration) as info:
        lib.nullcontext(value).__aenter__().send(None)
    assert info.value.value is value and info.value.args == (value,) or value is None


def test_values_are_sent_through(lib):
    manager, closing = suspended(lib)
    assert closing.send("a") == 2
    with pytest.raises(StopIteration) as info:
        closing.send("b")
    assert manager.got == ["a", "b"] and info.value.value is None


def test_exceptions_are_thrown_through(lib):
    manager, closing = suspended(lib)
    error = KeyError(1)
    assert closing.throw(error) == 2
    with pytest.raises(StopIteration):
        closing.throw(KeyError("class and value"))
    assert manager.got[0] is error and manager.got[1].args == ("class and value",)


def test_an_exception_that_nobody_handles_comes_back(lib):
    _, closing = suspended(lib)
    error = OSError(1)
    with pytest.raises(OSError) as info:
        closing.throw(error)
    assert info.value is error
    with pytest.raises(RuntimeError, match="already awaited"):
        closing.send(None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_throw_takes(lib):
    for args in ((KeyError,), (KeyError, KeyError(1)), (KeyError, 1), (KeyError, None, None)):
        _, closing = suspended(lib)
        assert closing.throw(*args) == 2
        closing.close()
    for args in ((), (1,), (KeyError(1), 2), (KeyError, 1, 2)):
        _, closing = suspended(lib)
        with pytest.raises(TypeError):
            closing.throw(*args)
        closing.close()


def test_throwing_before_the_start_ends_it(lib):
    coroutine = lib.nullcontext().__aenter__()
    with pytest.raises(KeyError):
        coroutine.throw(KeyError)
    with pytest.raises(RuntimeError):
        coroutine.send(None)


def test_closing(lib):
    manager, closing = suspended(lib)
    assert closing.close() is None and manager.got == []
    assert closing.close() is None
    unstarted = lib.nullcontext().__aenter__()
    assert unstarted.close() is None
    with pytest.raises(RuntimeError, match="already awaited"):
        unstarted.send(None)


def test_an_exit_that_awaits_again_ignores_being_closed(lib):
    async def stubborn(*details):
        try:
            await suspend(1)
        except GeneratorExit:
            await suspend(2)

    stack = lib.AsyncExitStack()
    stack.push_async_exit(stubborn)
    closing = stack.aclose()
    closing.send(None)
    with pytest.raises(RuntimeError, match="GeneratorExit"):
        closing.close()


def test_first_send_takes_none_only(lib):
    coroutine = lib.nullcontext().__aenter__()
    with pytest.raises(TypeError, match="just-started"):
        coroutine.send(1)
    coroutine.close()


def test_is_awaited_once(lib):
    async def main(coroutine):
        await coroutine

    coroutine = lib.nullcontext().__aenter__()
    with pytest.raises(StopIteration):
        coroutine.send(None)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        main(coroutine).send(None)
    _, closing = suspended(lib)
    with pytest.raises(RuntimeError, match="being awaited already"):
        main(closing).send(None)
    closing.close()


def test_it_does_not_run_inside_itself(lib):
    stack = lib.AsyncExitStack()
    stack.callback(lambda: closing.send(None))
    closing = stack.aclose()
    with pytest.raises(ValueError, match="already executing"):
        closing.send(None)


def test_one_that_nobody_awaits_is_warned_of(lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lib.AsyncExitStack().enter_async_context(Manager())
        gc.collect()
    (warning,) = caught
    assert warning.category is RuntimeWarning
    expected = "AsyncExitStack.enter_async_context' was never awaited"
    assert expected in str(warning.message)


def test_one_that_is_dropped_half_way_is_closed(lib):
    log = []

    async def exit(*details):
        try:
            await suspend(1)
        finally:
            log.append(sys.exc_info()[0])

    stack = lib.AsyncExitStack()
    stack.push_async_exit(exit)
    closing = stack.aclose()
    closing.send(None)
    del closing, stack
    gc.collect()
    assert log == [GeneratorExit]


def test_results_are_not_kept_alive(lib):
    class Thing:
        pass

    async def main():
        thing = Thing()
        reference = weakref.ref(thing)
        async with lib.nullcontext(thing):
            pass
        del thing
        return reference()

    with pytest.raises(StopIteration) as info:
        main().send(None)
    assert info.value.value is None
