"""AsyncExitStack and aclosing. Where a test takes `lib`, the standard one passes it too."""

import asyncio
import contextlib
import gc
import sys
import types

import pytest
import within.contextlib


@pytest.fixture(params=[contextlib, within.contextlib], ids=["standard", "within"])
def lib(request):
    return request.param


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


class Manager:
    def __init__(self, log):
        self.log = log

    async def __aenter__(self):
        await asyncio.sleep(0)
        self.log.append("enter")
        return self

    async def __aexit__(self, *details):
        await asyncio.sleep(0)
        self.log.append(details[0])


def test_all_ways_of_putting_down(lib):
    log = []

    async def note(*args, **kwargs):
        await asyncio.sleep(0)
        log.append((args, kwargs))
        return True  # which does not count

    async def main():
        async with lib.AsyncExitStack() as stack:
            stack.callback(log.append, "callback")
            assert stack.push_async_callback(note, 1, self=2, callback=3) is note
            manager = Manager(log)
            assert await stack.enter_async_context(cm=manager) is manager
            assert stack.push_async_exit(exit=manager) is manager
            assert stack.push_async_exit(note) is note
            stack.enter_context(lib.nullcontext())
            1 / 0

    run(main())
    assert log[0] == "enter"
    assert log[1][0][0] is ZeroDivisionError  # note as an exit: it suppresses
    assert log[2:] == [None, None, ((1,), {"self": 2, "callback": 3}), "callback"]


def test_nothing_is_entered_before_the_await(lib):
    log = []

    async def main():
        stack = lib.AsyncExitStack()
        entering = stack.enter_async_context(Manager(log))
        await asyncio.sleep(0)
        assert log == []
        await entering
        assert log == ["enter"]
        closing = stack.aclose()
        await asyncio.sleep(0)
        assert log == ["enter"]
        assert await closing is None
        assert log == ["enter", None]

    run(main())


def test_stacks_of_many_tasks_do_not_mix(lib):
    async def use(number):
        log = []
        async with lib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(Manager(log))
            stack.push_async_callback(asyncio.sleep, 0)
            stack.callback(log.append, number)
        return log

    async def main():
        return await asyncio.gather(*map(use, range(100)))

    expected = ["enter"] * 3
    assert run(main()) == [expected + [number] + [None] * 3 for number in range(100)]


def test_a_cancellation_reaches_the_exits(lib):
    log = []

    async def main():
        async def body():
            async with lib.AsyncExitStack() as stack:
                await stack.enter_async_context(Manager(log))
                await asyncio.sleep(60)

        task = asyncio.ensure_future(body())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert log == ["enter", asyncio.CancelledError]


def test_a_cancellation_inside_an_exit_is_an_exception_of_that_exit(lib):
    log = []

    async def slow(*details):
        log.append("slow")
        await asyncio.sleep(60)

    async def main():
        async def body():
            async with lib.AsyncExitStack() as stack:
                await stack.enter_async_context(Manager(log))
                stack.push_async_exit(slow)

        task = asyncio.ensure_future(body())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert log == ["enter", "slow", asyncio.CancelledError]


def test_subclasses(lib):
    log = []

    class Stack(lib.AsyncExitStack):
        async def __aenter__(self):
            log.append("enter")
            return await super().__aenter__()

        async def __aexit__(self, *details):
            log.append("exit")
            return await super().__aexit__(*details)

    async def main():
        async with Stack() as stack:
            stack.callback(log.append, 1)
            await stack.aclose()
            assert type(stack.pop_all()) is Stack

    run(main())
    assert log == ["enter", "exit", 1, "exit"]


def test_what_cannot_be_awaited_is_an_exception_of_the_exit(lib):
    log = []

    async def main():
        async with lib.AsyncExitStack() as stack:
            stack.push(lambda *details: log.append(details[0]))
            stack.push_async_callback(lambda: 1)

    with pytest.raises(TypeError, match="await"):
        run(main())
    assert log == [TypeError]


def test_other_awaitables(lib):
    log = []

    class Awaitable:
        def __await__(self):
            got = yield from asyncio.sleep(0).__await__()
            log.append(got)
            return True

    class Wrong:
        def __await__(self):
            return 1

    @types.coroutine
    def generator(*details):
        yield
        log.append("generator")
        return True

    async def main():
        async with lib.AsyncExitStack() as stack:
            stack.push_async_exit(lambda *details: Awaitable())
            stack.push_async_callback(asyncio.ensure_future, asyncio.sleep(0))
            raise KeyError
        async with lib.AsyncExitStack() as stack:
            stack.push_async_exit(generator)
            raise KeyError
        with pytest.raises(TypeError):
            async with lib.AsyncExitStack() as stack:
                stack.push_async_callback(Wrong)

    run(main())
    assert log == [None, "generator"]


def test_a_coroutine_that_is_awaited_already_is_refused(lib):
    async def main():
        async def inner():
            await asyncio.sleep(0.01)

        inner_coroutine = inner()

        async def outer():
            await inner_coroutine

        other = asyncio.ensure_future(outer())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="being awaited already"):
            async with lib.AsyncExitStack() as stack:
                stack.push_async_callback(lambda: inner_coroutine)
        await other

    run(main())


def test_wrappers_in_exit_callbacks(lib):
    log = []

    async def note(*args):
        log.append(args)
        return True

    async def main():
        stack = lib.AsyncExitStack()
        stack.push_async_callback(note, 1)
        ((sync, wrapper),) = stack._exit_callbacks
        assert not sync and wrapper.__wrapped__ is note
        assert await wrapper(None, None, None) is None
        await stack.aclose()

    run(main())
    assert log == [(1,), (1,)]


def test_aclosing(lib):
    log = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    async def main():
        with pytest.raises(KeyError):
            async with lib.aclosing(numbers()) as generator:
                async for number in generator:
                    assert number == 1 and log == []
                    raise KeyError
        assert log == ["closed"]
        with pytest.raises(AttributeError):
            async with lib.aclosing(3) as three:
                assert three == 3
        assert lib.aclosing(thing=4).thing == 4

    run(main())
    with pytest.raises(TypeError):
        lib.aclosing()
    with pytest.raises(TypeError):
        lib.aclosing(1, 2)


def test_nullcontext_is_asynchronous_too(lib):
    async def main():
        stop = StopIteration(1)
        async with lib.nullcontext() as nothing, lib.nullcontext((1, 2)) as pair:
            async with lib.nullcontext(stop) as same:
                return nothing, pair, same.args

    assert run(main()) == (None, (1, 2), (1,))


def test_suspended_stacks_are_collected(lib):
    log = []

    @types.coroutine
    def suspend():
        yield

    def make():
        stack = lib.AsyncExitStack()
        stack.push_async_callback(suspend)
        stack.callback(log.append, "called")
        stack.note = closing = stack.aclose()
        closing.send(None)

    for _ in range(10):
        make()
    gc.collect()
    assert log.count("called") in (0, 10)


def test_ten_thousand_asynchronous_exits(lib):
    count = 0

    async def note():
        nonlocal count
        count += 1

    async def main():
        async with lib.AsyncExitStack() as stack:
            for _ in range(10_000):
                stack.push_async_callback(note)

    run(main())
    assert count == 10_000


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 shows the AttributeError itself")
def test_what_is_no_asynchronous_manager_is_named(lib):
    async def main():
        await lib.AsyncExitStack().enter_async_context(3)

    with pytest.raises(TypeError, match="'builtins.int' object does not support the asynchronous context manager"):
        run(main())


def test_stacks_awaited_inside_stacks_end_with_a_recursion_error_not_a_crash():
    async def main():
        stack = within.contextlib.AsyncExitStack()
        for _ in range(100_000):
            outer = within.contextlib.AsyncExitStack()
            outer.push_async_exit(stack)
            stack = outer
        with pytest.raises(RecursionError):
            await stack.aclose()

    run(main())
