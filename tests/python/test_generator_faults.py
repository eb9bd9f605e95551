"""Generator managers under strain: leaks, no memory, deep nesting, cycles, threads."""

import asyncio
import gc
import sys
import threading
import weakref

import pytest
from outcomes import drive

import within.contextlib as ours

# Generators that are closed while there is no memory.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@ours.contextmanager
def nothing():
    yield


@ours.contextmanager
def values(first, *, second):
    yield first


@ours.contextmanager
def swallowing():
    try:
        yield
    except ValueError:
        pass


@ours.asynccontextmanager
async def asynchronous():
    yield


class Sub(ours._GeneratorContextManager):
    pass


class Decorator(ours.ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return None


@nothing()
def decorated(value, *, key=1):
    return value


@nothing()
def decorated_failing():
    raise ValueError


@Decorator()
def decorated_by_class(value):
    return value


def use_plain():
    with nothing():
        pass


def use_values():
    with values(1, second=2):
        pass


def use_raising():
    try:
        with nothing():
            raise ValueError
    except ValueError:
        pass


def use_swallowing():
    with swallowing():
        raise ValueError


def use_decorated():
    decorated(1), decorated(2, key=3)


def use_decorated_failing():
    try:
        decorated_failing()
    except ValueError:
        pass


def use_decorated_by_class():
    decorated_by_class(1)


def use_subclass():
    with Sub(generator_function, (), {}):
        pass


def generator_function():
    yield


def use_unused():
    nothing(), values(1, second=2).args


def use_recreated():
    values(1, second=2)._recreate_cm()


def use_attributes():
    manager = values(1, second=2)
    manager.kwds = {}
    manager.extra = manager
    manager.__doc__ = "x"


def use_decorating():
    nothing()(ours.contextmanager(generator_function))


def use_not_stopping():
    try:
        with ours._GeneratorContextManager(yields_twice, (), {}):
            pass
    except RuntimeError:
        pass


def yields_twice():
    yield
    yield


def use_not_yielding():
    try:
        with ours._GeneratorContextManager(iter, ([],), {}):
            pass
    except RuntimeError:
        pass


async def one_block(error):
    try:
        async with asynchronous():
            if error:
                raise error
    except ValueError:
        pass


async def never_stops():
    try:
        yield
    except ValueError:
        pass
    yield


async def not_stopping():
    try:
        async with ours._AsyncGeneratorContextManager(never_stops, (), {}):
            raise ValueError
    except RuntimeError:
        pass


def use_asynchronous():
    drive(one_block(None))


def use_asynchronous_raising():
    drive(one_block(ValueError))


def use_asynchronous_not_stopping():
    drive(not_stopping())


def use_asynchronous_closed():
    step = asynchronous().__aenter__()
    step.close()


USES = [value for name, value in sorted(globals().items()) if name.startswith("use_")]
SLOW = {use_decorating, use_asynchronous_not_stopping, use_not_stopping, use_not_yielding}


def blocks_after(use, count):
    for _ in range(count):
        use()
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.parametrize("use", USES)
def test_nothing_leaks(use):
    blocks_after(use, 1000)
    before = blocks_after(use, 1000)
    after = blocks_after(use, 10_000 if use in SLOW else 100_000)
    assert after - before < 200


@pytest.mark.parametrize("use", USES)
def test_references_are_balanced(use):
    watched = [
        *(None, True, False, ValueError, generator_function, yields_twice, never_stops),
        *(ours._GeneratorContextManager, ours._AsyncGeneratorContextManager, ours.ContextDecorator),
        *(one.__wrapped__ for one in (nothing, values, swallowing, asynchronous)),
        *(one.__wrapped__ for one in (decorated, decorated_failing, decorated_by_class)),
    ]
    use()
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(100):
        use()
    gc.collect()
    after = [sys.getrefcount(thing) for thing in watched]
    assert all(abs(b - a) < 50 for a, b in zip(before, after))


@pytest.mark.skipif(
    hasattr(sys, "gettotalrefcount") and sys.version_info < (3, 14),
    reason="debug builds abort where Python itself fails without an error",
)
@pytest.mark.parametrize("use", USES)
def test_no_memory_at_any_allocation(use):
    testcapi = pytest.importorskip("_testcapi")
    use()
    succeeded = 0
    for number in range(300):
        testcapi.set_nomemory(number, number + 1)
        try:
            use()
            succeeded += 1
        except (MemoryError, SystemError):  # Python itself forgets to say so in some places
            pass
        finally:
            testcapi.remove_mem_hooks()
    assert succeeded
    use()


def test_ten_thousand_blocks_at_once():
    managers = [values(number, second=2) for number in range(10_000)]
    assert [manager.__enter__() for manager in managers] == list(range(10_000))
    for manager in reversed(managers):
        assert manager.__exit__(None, None, None) is False


def test_ten_thousand_nested_blocks():
    depth = 0

    def nest(left):
        nonlocal depth
        depth += 1
        if left:
            with nothing():
                nest(left - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    thread = threading.Thread(target=nest, args=(10_000,))
    old = threading.stack_size(256 * 1024 * 1024)
    try:
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
        sys.setrecursionlimit(limit)
    assert depth == 10_001


def test_recursion_without_end_is_an_error():
    @nothing()
    def recursive():
        recursive()

    with pytest.raises(RecursionError):
        recursive()

    @ours.contextmanager
    def generator():
        with generator():
            yield

    with pytest.raises(RecursionError):
        with generator():
            pass


def test_cycles_through_a_half_open_block_are_collected():
    log = []

    class Thing:
        pass

    @ours.contextmanager
    def generator(thing):
        try:
            yield thing
        finally:
            log.append("closed")

    def leave_open():
        thing = Thing()
        thing.manager = generator(thing)
        thing.manager.__enter__()
        return weakref.ref(thing)

    ref = leave_open()
    gc.collect()
    assert ref() is None and log == ["closed"]


def test_cycles_through_attributes_and_arguments_are_collected():
    class Thing:
        pass

    def make():
        thing = Thing()
        thing.manager = values(thing, second=thing)
        thing.manager.own = thing.manager
        return weakref.ref(thing)

    ref = make()
    gc.collect()
    assert ref() is None


def test_cycles_through_a_waiting_step_are_collected():
    class Thing:
        def __await__(self):
            yield

    @ours.asynccontextmanager
    async def generator(thing):
        await thing
        yield

    def make():
        thing = Thing()
        thing.manager = generator(thing)
        thing.step = thing.manager.__aenter__()
        thing.step.send(None)
        return weakref.ref(thing)

    ref = make()
    gc.collect()
    assert ref() is None


def test_threads_share_a_decorated_function():
    entered = []

    @ours.contextmanager
    def generator():
        entered.append(1)
        yield
        entered.append(-1)

    @generator()
    def function(value):
        return value

    def work():
        for number in range(500):
            assert function(number) == number

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(entered) == 0 and len(entered) == 8000


def test_a_generator_that_deletes_its_manager():
    managers = []

    @ours.contextmanager
    def generator():
        del managers[0].gen
        yield 1
        managers.clear()

    managers.append(generator())
    assert managers[0].__enter__() == 1
    with pytest.raises(AttributeError):
        managers[0].__exit__(None, None, None)


def test_a_call_that_enters_its_own_manager():
    managers = []

    def generator():
        if managers:
            managers.pop().__enter__()
        yield

    class Callable:
        def __call__(self, *args):
            if managers:
                managers.pop().__enter__()
            return generator()

    manager = ours.contextmanager(Callable())("argument" * 2)
    managers.append(manager)
    with pytest.raises(AttributeError):
        manager._recreate_cm().__enter__()


def test_an_event_loop_that_ends_while_a_block_is_open():
    log = []

    @ours.asynccontextmanager
    async def generator():
        try:
            yield
        finally:
            log.append("closed")

    async def main():
        await generator().__aenter__()

    asyncio.run(main())
    gc.collect()
    assert log == ["closed"]
