"""Profiler.iterate: a loop whose passes and waits are measured apart."""

import asyncio
import gc
import operator
import threading
import time

import pytest

import within as wi


@pytest.fixture
def profiler():
    return wi.Profiler()


def calls_of(profiler):
    return {line.path: line.calls for line in profiler.stats()}


def errors_of(profiler):
    return {line.path: line.errors for line in profiler.stats() if line.errors}


def assert_nothing_is_open(profiler):
    """A section opened now is at the top, and no time goes on."""
    with profiler.section("(check)"):
        pass
    assert "(check)" in calls_of(profiler)
    before = sum(line.total for line in profiler.stats())
    assert sum(line.total for line in profiler.stats()) == pytest.approx(before)


def test_a_loop_gets_the_items(profiler):
    assert list(profiler.iterate("batch", "abc")) == ["a", "b", "c"]
    assert [pair for pair in zip(profiler.iterate("i", [1, 2]), profiler.iterate("j", (3, 4)))] == [(1, 3), (2, 4)]


def test_passes_and_waits_are_told_apart(profiler):
    def loader():
        for number in range(4):
            time.sleep(0.002)
            yield number

    for _ in profiler.iterate("batch", loader()):
        with profiler.section("forward"):
            time.sleep(0.005)
    passes, waits, forward = profiler.stats()
    assert (passes.path, passes.calls) == ("batch", 4) and passes.total >= 0.020
    assert (forward.path, forward.calls) == ("batch > forward", 4)
    assert (waits.path, waits.calls) == ("batch (wait)", 5), "the wait that finds the end counts"
    assert 0.008 <= waits.total and waits.min < 0.002
    assert passes.min >= 0.005


def test_sections_of_the_source_are_inside_the_wait(profiler):
    def loader():
        for number in range(2):
            with profiler.section("read"):
                pass
            yield number

    for _ in profiler.iterate("batch", loader()):
        pass
    assert calls_of(profiler) == {"batch": 2, "batch (wait)": 3, "batch (wait) > read": 2}


def test_loops_nest_in_sections_and_in_each_other(profiler):
    with profiler.section("fit"):
        for _ in profiler.iterate("epoch", range(2)):
            for _ in profiler.iterate("batch", range(3)):
                pass
    assert calls_of(profiler) == {
        "fit": 1,
        "fit > epoch": 2,
        "fit > epoch (wait)": 3,
        "fit > epoch > batch": 6,
        "fit > epoch > batch (wait)": 8,
    }
    assert_nothing_is_open(profiler)


def test_a_pass_ends_at_break(profiler):
    for number in profiler.iterate("batch", range(10)):
        if number == 2:
            break
    assert calls_of(profiler) == {"batch": 3, "batch (wait)": 3}
    assert errors_of(profiler) == {}
    assert_nothing_is_open(profiler)


def test_a_pass_ends_at_return(profiler):
    def find():
        for number in profiler.iterate("batch", range(10)):
            return number

    assert find() == 0
    assert_nothing_is_open(profiler)


def test_a_pass_that_an_exception_ends_is_an_error(profiler):
    with pytest.raises(KeyError):
        for number in profiler.iterate("batch", range(10)):
            if number == 1:
                raise KeyError
    assert calls_of(profiler) == {"batch": 2, "batch (wait)": 2}
    assert errors_of(profiler) == {"batch": 1}
    assert_nothing_is_open(profiler)


def test_an_exception_that_is_handled_around_the_loop_ends_the_pass_first(profiler):
    try:
        for _ in profiler.iterate("batch", range(10)):
            raise KeyError
    except KeyError:
        with profiler.section("handler"):
            pass
    assert calls_of(profiler) == {"batch": 1, "batch (wait)": 1, "handler": 1}


def test_an_exception_of_the_source_passes_on(profiler):
    def loader():
        yield 1
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        for _ in profiler.iterate("batch", loader()):
            pass
    assert errors_of(profiler) == {"batch (wait)": 1}
    assert_nothing_is_open(profiler)


def test_an_iterator_may_go_on_after_an_exception(profiler):
    class Flaky:
        count = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.count += 1
            if self.count == 2:
                raise OSError
            return self.count

    loop = profiler.iterate("batch", Flaky())
    assert next(loop) == 1
    with pytest.raises(OSError):
        next(loop)
    assert next(loop) == 3


def test_after_the_end_nothing_more_is_measured(profiler):
    loop = profiler.iterate("batch", [1])
    assert list(loop) == [1]
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(loop)
    assert calls_of(profiler) == {"batch": 1, "batch (wait)": 2}


def test_an_empty_loop_waits_once(profiler):
    for _ in profiler.iterate("batch", []):
        pytest.fail("there is no item")
    assert calls_of(profiler) == {"batch (wait)": 1}


def test_the_length_hint_is_that_of_the_source(profiler):
    loop = profiler.iterate("batch", [1, 2, 3])
    assert operator.length_hint(loop, 99) == 3
    next(loop)
    assert operator.length_hint(loop, 99) == 2
    assert operator.length_hint(profiler.iterate("batch", (x for x in "ab")), 99) == 99
    list(loop)
    assert operator.length_hint(loop, 99) == 0


def test_a_loop_in_a_generator_is_suspended_with_it(profiler):
    def batches():
        for number in profiler.iterate("batch", range(3)):
            with profiler.section("prepare"):
                pass
            yield number

    with profiler.section("fit"):
        for _ in batches():
            with profiler.section("step"):
                pass
    assert calls_of(profiler) == {
        "fit": 1,
        "fit > batch": 3,
        "fit > batch (wait)": 4,
        "fit > batch > prepare": 3,
        "fit > step": 3,
    }


def test_threads_have_loops_of_their_own(profiler):
    barrier = threading.Barrier(3)

    def work():
        for _ in profiler.iterate("batch", range(5)):
            barrier.wait(20)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls_of(profiler) == {"batch": 15, "batch (wait)": 18}


def test_asking_for_the_next_item_while_it_is_awaited_is_an_error(profiler):
    def itself():
        yield next(loop)

    loop = profiler.iterate("batch", itself())
    with pytest.raises(RuntimeError, match="waited for already"):
        next(loop)


def test_a_loop_that_is_forgotten_ends_its_pass(profiler):
    loop = profiler.iterate("batch", [1, 2])
    next(loop)
    cycle = [loop]
    cycle.append(cycle)
    del loop, cycle
    gc.collect()
    assert_nothing_is_open(profiler)


def test_a_long_name_keeps_its_passes_and_waits_apart(profiler):
    for name in ("x" * 500, "é" * 99, "…" * 66, "x" * 194, "x" * 193):
        profiler.reset()
        list(profiler.iterate(name, [1]))
        assert sorted(line.calls for line in profiler.stats()) == [1, 2]
        assert [line.calls for line in profiler.stats() if line.path.endswith(" (wait)")] == [2]


def test_a_loop_does_not_keep_its_items(profiler):
    class Item:
        pass

    def items():
        for _ in range(2):
            yield Item()

    alive = []
    for item in profiler.iterate("batch", items()):
        gc.collect()
        alive.append(sum(isinstance(thing, Item) for thing in gc.get_objects()))
        del item
    assert max(alive) == 1


# ---- asynchronous loops ----


class Ticks:
    """An asynchronous iterator that gives 0, 1, … and lets others run before each."""

    def __init__(self, count, error=StopAsyncIteration):
        self.count, self.error, self.given = count, error, 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        if self.given == self.count:
            raise self.error
        self.given += 1
        return self.given - 1


def test_an_asynchronous_loop_is_measured_likewise(profiler):
    async def main():
        got = []
        async for number in profiler.iterate("batch", Ticks(3)):
            with profiler.section("forward"):
                await asyncio.sleep(0)
            got.append(number)
        return got

    assert asyncio.run(main()) == [0, 1, 2]
    assert calls_of(profiler) == {"batch": 3, "batch (wait)": 4, "batch > forward": 3}
    assert_nothing_is_open(profiler)


def test_an_asynchronous_generator_is_measured(profiler):
    async def ticks():
        for number in range(3):
            with profiler.section("read"):
                await asyncio.sleep(0)
            yield number

    async def main():
        return [number async for number in profiler.iterate("batch", ticks())]

    assert asyncio.run(main()) == [0, 1, 2]
    assert calls_of(profiler) == {"batch": 3, "batch (wait)": 4, "batch (wait) > read": 3}


def test_asynchronous_loops_of_many_tasks_do_not_mix(profiler):
    async def task(number):
        with profiler.section(f"task {number % 2}"):
            async for _ in profiler.iterate("batch", Ticks(3)):
                await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*map(task, range(20)))

    asyncio.run(main())
    assert calls_of(profiler) == {
        f"task {number}{rest}": calls
        for number in range(2)
        for rest, calls in [("", 10), (" > batch", 30), (" > batch (wait)", 40)]
    }


def test_an_asynchronous_pass_ends_at_break_and_at_an_exception(profiler):
    async def main():
        async for _ in profiler.iterate("batch", Ticks(3)):
            break
        with pytest.raises(KeyError):
            async for _ in profiler.iterate("batch", Ticks(3)):
                raise KeyError
        with pytest.raises(OSError):
            async for _ in profiler.iterate("batch", Ticks(1, OSError)):
                pass

    asyncio.run(main())
    assert calls_of(profiler) == {"batch": 3, "batch (wait)": 4}
    assert errors_of(profiler) == {"batch": 1, "batch (wait)": 1}
    assert_nothing_is_open(profiler)


def test_a_wait_that_is_cancelled_ends(profiler):
    class Never(Ticks):
        async def __anext__(self):
            await asyncio.Event().wait()

    async def wait():
        async for _ in profiler.iterate("batch", Never(1)):
            pytest.fail("there is no item")

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), 0.01)

    asyncio.run(main())
    assert calls_of(profiler) == {"batch (wait)": 1}
    assert_nothing_is_open(profiler)


def test_items_of_an_asynchronous_loop_may_be_anything(profiler):
    async def main():
        async def items():
            for item in ((1, 2), ValueError("x"), StopIteration(3), None):
                yield item

        return [item async for item in profiler.iterate("batch", items())]

    pair, value, stop, none = asyncio.run(main())
    assert pair == (1, 2) and isinstance(value, ValueError) and stop.value == 3 and none is None


def test_an_awaited_step_cannot_be_awaited_again(profiler):
    async def main():
        step = profiler.iterate("batch", Ticks(3)).__anext__()
        assert await step == 0
        with pytest.raises(RuntimeError, match="cannot reuse"):
            await step

    asyncio.run(main())


# ---- wrong arguments ----


def test_what_cannot_be_iterated_is_an_error_that_names_its_type(profiler):
    with pytest.raises(TypeError, match=r"Profiler.iterate\(\) iterable must be iterable, not int"):
        profiler.iterate("batch", 3)


def test_a_name_that_is_no_text_is_an_error_that_names_its_type(profiler):
    with pytest.raises(TypeError, match=r"Profiler.iterate\(\) name must be str, not list"):
        profiler.iterate([1], "batch")


def test_both_arguments_may_be_named(profiler):
    assert list(profiler.iterate(name="batch", iterable=[1])) == [1]
    with pytest.raises(TypeError):
        profiler.iterate("batch")
