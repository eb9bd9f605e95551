"""asynccontextmanager: the same outcome as the standard one's, also where it is cut off while it waits."""

import asyncio
import collections.abc
import contextlib as standard
import inspect
import pickle
import sys
import typing
import warnings
import weakref

import pytest
from outcomes import drive, outcome

import within.contextlib as ours

# Generators that don't stop are left to the garbage collector, up to 3.10.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PLACES = {"standard": standard, "ours": ours}


class Wait:
    """An awaitable that yields once; what is sent is its result."""

    def __init__(self, label):
        self.label = label

    def __await__(self):
        return (yield self.label)


async def plain(log):
    log.append("enter")
    yield 42
    log.append("exit")


async def waits(log):
    log.append(await Wait("entering"))
    try:
        yield 42
    except ValueError as error:
        log.append(error.args)
        await Wait("handling")
        raise
    finally:
        log.append(await Wait("leaving"))


async def swallows(log):
    try:
        yield
    except BaseException as error:
        log.append(type(error).__name__)
        await Wait("swallowing")


async def reraises(log):
    try:
        yield
    except BaseException as error:
        raise error


async def raises_another(log):
    try:
        yield
    except BaseException:
        raise KeyError("another")


async def raises_after_swallowing(log):
    try:
        yield
    except BaseException:
        pass
    log.append(sys.exc_info()[0])
    raise KeyError("after")


async def raises_from(log):
    try:
        yield
    except BaseException as error:
        raise RuntimeError("wrapped") from error


async def raises_before(log):
    raise KeyError("before")
    yield


async def never_yields(log):
    if log is None:
        yield


async def yields_twice(log):
    try:
        yield 1
        yield 2
    finally:
        await Wait("closing")
        log.append(("closed", sys.exc_info()[0]))


async def yields_after_error(log):
    try:
        yield 1
    except BaseException:
        yield 2


async def ignores_close(log):
    try:
        yield 1
        yield 2
    except GeneratorExit:
        yield 3


async def fails_in_close(log):
    try:
        yield 1
        yield 2
    finally:
        raise KeyError("closing")


async def yields_a_tuple(log):
    yield 1, 2


async def yields_an_error(log):
    yield ValueError("yielded")


GENERATORS = [
    plain,
    waits,
    swallows,
    reraises,
    raises_another,
    raises_after_swallowing,
    raises_from,
    raises_before,
    never_yields,
    yields_twice,
    yields_after_error,
    ignores_close,
    fails_in_close,
    yields_a_tuple,
    yields_an_error,
]

ERRORS = [
    None,
    ValueError,
    StopIteration,
    StopAsyncIteration,
    RuntimeError,
    GeneratorExit,
    KeyboardInterrupt,
    asyncio.CancelledError,
]


async def fail(error):
    if error is StopIteration:  # cannot come out of a coroutine
        await Wait("body")
    elif error:
        raise error("body")


async def block(library, generator, error, log):
    async with library.asynccontextmanager(generator)(log) as value:
        log.append(repr(value))
        if error is StopIteration:
            raise error("body")
        await fail(error)
    return "after"


async def block_while_handling(library, generator, error, log):
    try:
        raise LookupError("outer")
    except LookupError:
        return await block(library, generator, error, log)


async def decorated(library, generator, error, log):
    @library.asynccontextmanager(generator)(log)
    async def function(first, *, second):
        log.append((first, second))
        await fail(error)
        return "result"

    return await function(1, second=2), await function(3, second=4)


async def in_exit_stack(library, generator, error, log):
    async with standard.AsyncExitStack() as stack:
        manager = library.asynccontextmanager(generator)(log)
        log.append(repr(await stack.enter_async_context(manager)))
        await fail(error)
    return "after"


async def subclass(library, generator, error, log):
    class Manager(library._AsyncGeneratorContextManager):
        async def __aenter__(self):
            log.append("sub enter")
            return await super().__aenter__()

        async def __aexit__(self, typ, value, traceback):
            log.append("sub exit")
            return await super().__aexit__(typ, value, traceback)

    async with Manager(generator, (log,), {}) as value:
        log.append(repr(value))
        await fail(error)
    return "after"


USES = [block, block_while_handling, decorated, in_exit_stack, subclass]


def driven(use, library, generator, error, log):
    return drive(use(library, generator, error, log))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("generator", GENERATORS)
def test_every_outcome_is_the_standard_one(use, generator):
    for error in ERRORS:
        logs = [], []
        wanted = outcome(driven, use, standard, generator, error, logs[0])
        assert outcome(driven, use, ours, generator, error, logs[1]) == wanted, error
        assert logs[1] == logs[0], error


def cut_off(use, library, generator, error, log, position, how):
    """Run up to the given wait, then throw an error into the coroutine, or close it."""
    coroutine = use(library, generator, error, log)
    for _ in range(position):
        coroutine.send(None)
    if how == "close":
        return coroutine.close()
    if how == "send":
        log.append(coroutine.send("sent"))
    else:
        log.append(coroutine.throw(how("thrown")))
    return drive(coroutine)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("generator", [waits, swallows, yields_twice])
@pytest.mark.parametrize("position", [1, 2, 3])
def test_cut_off_while_waiting_as_the_standard_one(use, generator, position):
    hows = ["close", "send", KeyError, asyncio.CancelledError, GeneratorExit]
    for error in (None, ValueError):
        for how in hows:
            logs = [], []
            wanted = outcome(cut_off, use, standard, generator, error, logs[0], position, how)
            got = outcome(cut_off, use, ours, generator, error, logs[1], position, how)
            assert got == wanted and logs[1] == logs[0], (error, position, how)


class Iterator:
    """Not a generator, but with all that contextlib calls."""

    def __init__(self, log, kind="coroutine"):
        self.log, self.left, self.kind = log, 1, kind

    def __aiter__(self):
        return self

    def __anext__(self):
        if self.kind == "coroutine":
            return self.next()
        if self.kind == "awaitable":
            return Wait("next")
        return 5

    async def next(self):
        await Wait("next")
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return "item"

    async def athrow(self, *args):
        self.log.append(("athrow", len(args)))
        raise args[0] if len(args) == 1 else args[1]

    async def aclose(self):
        self.log.append("aclose")


@pytest.mark.parametrize("kind", ["coroutine", "awaitable", "number"])
@pytest.mark.parametrize("use", USES)
def test_functions_may_return_any_asynchronous_iterator(use, kind):
    def make(log):
        return Iterator(log, kind)

    for error in ERRORS:
        logs = [], []
        wanted = outcome(driven, use, standard, make, error, logs[0])
        assert outcome(driven, use, ours, make, error, logs[1]) == wanted
        assert logs[1] == logs[0]


@pytest.mark.parametrize("function", [lambda log: None, lambda log: iter([]), lambda log: 5])
def test_functions_that_return_no_asynchronous_generator(function):
    wanted = outcome(driven, block, standard, function, None, [])
    assert outcome(driven, block, ours, function, None, []) == wanted


# What the decorated function is


@ours.asynccontextmanager
async def documented(first: int, *, third: float = 1.0) -> typing.AsyncIterator[int]:
    """Do something."""
    yield first


def test_a_decorated_function_is_a_function():
    assert inspect.isfunction(documented)
    assert documented.__name__ == documented.__qualname__ == "documented"
    assert documented.__doc__ == "Do something."
    assert pickle.loads(pickle.dumps(documented)) is documented
    assert inspect.signature(documented) == inspect.signature(documented.__wrapped__)
    assert typing.get_type_hints(documented) == typing.get_type_hints(documented.__wrapped__)


def test_a_decorated_coroutine_function_is_one():
    @documented(1)
    async def function(value: int) -> int:
        return value

    assert inspect.iscoroutinefunction(function)
    assert function.__name__ == "function"
    assert drive(function(value=3)) == (3, [])
    assert drive(function(4)) == (4, [])


def test_arguments_reach_the_generator_by_any_name():
    @ours.asynccontextmanager
    async def generator(*args, **kwds):
        yield args, kwds

    async def main():
        async with generator(1, self=2, func=3, args=4, kwds=5) as value:
            return value

    assert drive(main())[0] == ((1,), {"self": 2, "func": 3, "args": 4, "kwds": 5})


# The manager


@pytest.mark.parametrize("library", PLACES.values(), ids=PLACES)
def test_attributes_of_a_manager(library):
    @library.asynccontextmanager
    async def generator(*args, **kwds):
        """A doc."""
        yield args, kwds

    manager = generator(1, 2, key=3)
    assert (manager.args, manager.kwds) == ((1, 2), {"key": 3})
    assert inspect.isasyncgen(manager.gen)
    assert manager.__doc__ == "A doc."
    assert weakref.ref(manager)() is manager
    entering = manager.__aenter__()
    assert manager.args  # nothing has happened yet
    drive(entering)
    assert not hasattr(manager, "args")
    with pytest.raises(AttributeError):
        drive(manager.__aenter__())
    assert drive(manager.__aexit__(None, None, None)) == (False, [])


def test_managers_are_what_the_standard_classes_say():
    manager = documented(1)
    assert isinstance(manager, standard.AbstractAsyncContextManager)
    assert isinstance(manager, standard.AsyncContextDecorator)
    assert isinstance(manager, ours._GeneratorContextManagerBase)
    assert not isinstance(manager, standard.AbstractContextManager)
    assert type(manager).__name__ == "_AsyncGeneratorContextManager"
    assert ours._AsyncGeneratorContextManager[int]


def test_a_value_of_none_is_made_from_its_type():
    for library in PLACES.values():
        log = []
        manager = library.asynccontextmanager(swallows)(log)
        drive(manager.__aenter__())
        assert drive(manager.__aexit__(ValueError, None, None)) == (True, ["swallowing"])
        assert log == ["ValueError"]


# The step as a coroutine


def test_a_step_is_a_coroutine_to_those_who_ask():
    step = documented(1).__aenter__()
    assert isinstance(step, collections.abc.Coroutine)
    assert inspect.isawaitable(step) and asyncio.iscoroutine(step)
    assert drive(step) == (1, [])


def test_a_step_can_be_a_task():
    async def main():
        manager = documented(7)
        value = await asyncio.create_task(manager.__aenter__())
        assert await asyncio.wait_for(manager.__aexit__(None, None, None), 10) is False
        return value

    assert asyncio.run(main()) == 7


def test_a_step_is_used_once():
    step = documented(1).__aenter__()
    drive(step)
    for again in (lambda: step.send(None), lambda: next(step), lambda: step.throw(KeyError())):
        with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
            again()
    assert step.close() is None


def test_a_step_that_is_not_started_takes_no_value():
    step = documented(1).__aenter__()
    with pytest.raises(TypeError, match="just-started"):
        step.send(1)
    with pytest.raises(KeyError):
        step.throw(KeyError)
    with pytest.raises(RuntimeError):
        step.send(None)


def test_a_step_cannot_resume_itself():
    async def generator():
        step.send(None)
        yield

    step = ours.asynccontextmanager(generator)().__aenter__()
    with pytest.raises(ValueError, match="already executing"):
        step.send(None)


@pytest.mark.parametrize("args, error", [
    ((5,), TypeError),
    ((KeyError(), 5), TypeError),
    ((KeyError, "x", 5), TypeError),
    ((), TypeError),
    ((KeyError, "x", None), KeyError),
    ((KeyError, KeyError("y")), KeyError),
])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_throw_takes(args, error):
    for start in (False, True):
        step = ours.asynccontextmanager(waits)([]).__aenter__()
        if start:
            step.send(None)
        with pytest.raises(error):
            step.throw(*args)
        step.close()


def test_a_step_that_nobody_awaits_is_warned_of():
    for library in PLACES.values():
        manager = library.asynccontextmanager(plain)([])
        for make in (manager.__aenter__, lambda: manager.__aexit__(None, None, None)):
            with pytest.warns(RuntimeWarning, match="__a.*__' was never awaited"):
                make()


class Closing:
    """An asynchronous iterator whose items say when they are closed; they don't end by themselves."""

    kept = []

    def __init__(self, log):
        self.log = log

    def __aiter__(self):
        return self

    def __anext__(self):
        return self

    def __await__(self):
        self.kept.append(self.wait())
        return self.kept[-1]

    def wait(self):
        try:
            yield
        finally:
            self.log.append(sys.exc_info()[0])


@pytest.mark.parametrize("library", PLACES.values(), ids=PLACES)
def test_what_a_step_waits_for_is_closed_with_it(library):
    log = []

    def waiting():
        step = library.asynccontextmanager(Closing)(log).__aenter__()
        step.send(None)
        return step

    step = waiting()
    assert step.close() is None and log == [GeneratorExit]
    with pytest.raises(GeneratorExit):
        step = waiting()
        step.throw(GeneratorExit("thrown"))
    assert log == [GeneratorExit] * 2
    waiting()
    assert log == [GeneratorExit] * 3


def test_a_hundred_tasks_at_once():
    entered = []

    @ours.asynccontextmanager
    async def generator(number):
        await asyncio.sleep(0)
        entered.append(number)
        yield number
        await asyncio.sleep(0)
        entered.remove(number)

    async def use(number):
        async with generator(number) as got:
            await asyncio.sleep(0)
            assert got == number
        return got

    async def main():
        return await asyncio.gather(*map(use, range(100)))

    assert asyncio.run(main()) == list(range(100)) and not entered


def test_a_cancelled_task_runs_the_exit():
    log = []

    @ours.asynccontextmanager
    async def generator():
        try:
            yield
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            log.append("left")

    async def use():
        async with generator():
            await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(use())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["cancelled", "left"]


def test_hooks_of_the_event_loop_see_the_generator():
    seen = []
    old = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=seen.append)
    try:
        manager = documented(1)
        drive(manager.__aenter__())
    finally:
        sys.set_asyncgen_hooks(*old)
    assert seen == [manager.gen]


# Frames


def warn_from(library, level):
    @library.asynccontextmanager
    async def warning():
        warnings.warn("enter", stacklevel=level)
        yield
        warnings.warn("exit", stacklevel=level)

    async def inside():
        async with warning():
            pass

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        drive(inside())
    return [w.lineno if w.filename == __file__ else "elsewhere" for w in caught]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_warnings_point_at_the_standard_librarys_line(level):
    assert warn_from(ours, level) == warn_from(standard, level)
