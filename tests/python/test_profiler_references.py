"""Timers, profilers and their loops leave no reference and no memory behind, however they end."""

import asyncio
import contextlib
import io

import pytest

import within as wi

PROFILER = wi.Profiler()


@PROFILER.section("decorated")
def decorated(x):
    return x


@PROFILER.section("decorated")
def generator():
    yield 1
    yield 2


@wi.Timer("decorated", quiet=True)
def timed(x):
    return x


def section():
    with PROFILER.section("a"), PROFILER.section("b"):
        pass


def raising(manager):
    with contextlib.suppress(ValueError), manager:
        raise ValueError


def half_open():
    PROFILER.section("half open").__enter__()


def own_profiler():
    with wi.Profiler().section("a"):
        pass


def open_when_it_dies():
    profiler = wi.Profiler()
    section = profiler.section("a")
    section.__enter__()
    del profiler


def loop():
    for item in PROFILER.iterate("loop", (object(), object())):
        pass


def left_loop():
    for item in PROFILER.iterate("loop", [object(), object()]):
        break


def raising_loop():
    with contextlib.suppress(ValueError):
        for item in PROFILER.iterate("loop", [object(), object()]):
            raise ValueError


def failing_source():
    def source():
        yield 1
        raise ValueError

    with contextlib.suppress(ValueError):
        for item in PROFILER.iterate("loop", source()):
            pass


async def items():
    for item in (1, (2, 3), ValueError("x")):
        yield item


def asynchronous_loop(stop=None, error=None):
    async def main():
        async for item in PROFILER.iterate("async", items()):
            if error:
                raise error
            if stop:
                break

    async def closing():
        with contextlib.suppress(ValueError):
            await main()

    drive(closing())


def drive(coroutine):
    """Run a coroutine that waits for nothing."""
    with contextlib.suppress(StopIteration):
        coroutine.send(None)


def abandoned_step():
    step = PROFILER.iterate("async", Never()).__anext__()
    step.send(None)


def thrown_into_step():
    step = PROFILER.iterate("async", Never()).__anext__()
    step.send(None)
    with contextlib.suppress(ValueError):
        step.throw(ValueError())


def closed_step():
    step = PROFILER.iterate("async", Never()).__anext__()
    step.send(None)
    step.close()


class Never:
    """An asynchronous iterable whose first item does not come."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.Future(loop=LOOP)


LOOP = asyncio.new_event_loop()


@pytest.fixture(scope="module", autouse=True)
def _close_loop():
    yield
    LOOP.close()


def failing(function, *arguments, **named):
    with contextlib.suppress(TypeError, ValueError):
        function(*arguments, **named)


def cycle():
    stream = Holder()
    stream.timer = wi.Timer(stream=stream)
    next(PROFILER.iterate("cycle", Holder([stream])))


class Holder(list):
    write = None


FAST = {
    "Timer": lambda: wi.Timer("SVD", quiet=True, stream=io.StringIO()),
    "timer's block": lambda: wi.Timer("SVD", stream=io.StringIO()).__enter__().__exit__(None, None, None),
    "timer's block raises": lambda: raising(wi.Timer("SVD", quiet=True)),
    "timer half open": lambda: wi.Timer(quiet=True).__enter__(),
    "timer decorates": lambda: timed(1),
    "timer refuses": lambda: failing(wi.Timer, 3),
    "timer refuses a stream": lambda: failing(wi.Timer, "SVD", stream=3),
    "section": section,
    "section raises": lambda: raising(PROFILER.section("a")),
    "section half open": half_open,
    "section decorates": lambda: decorated(1),
    "section decorates a generator": lambda: list(generator()),
    "section decorates a generator left early": lambda: next(generator()),
    "section refuses": lambda: failing(PROFILER.section, 3),
    "section refuses a keyword": lambda: failing(PROFILER.section, nam="x"),
    "Profiler": own_profiler,
    "Profiler dies with an open section": open_when_it_dies,
    "loop": loop,
    "loop that is left": left_loop,
    "loop that raises": raising_loop,
    "loop over a source that fails": failing_source,
    "loop by name": lambda: list(PROFILER.iterate(name="loop", iterable=[1])),
    "loop refuses": lambda: failing(PROFILER.iterate, "loop", 3),
    "asynchronous loop": asynchronous_loop,
    "asynchronous loop that is left": lambda: asynchronous_loop(stop=True),
    "asynchronous loop that raises": lambda: asynchronous_loop(error=ValueError()),
    "step abandoned": abandoned_step,
    "step thrown into": thrown_into_step,
    "step closed": closed_step,
    "timer in a cycle": cycle,
}
SLOW = {
    "report": lambda: PROFILER.report("all", stream=io.StringIO()),
    "report refuses": lambda: failing(PROFILER.report, "p95"),
    "to_dict": PROFILER.to_dict,
    "table": PROFILER._repr_html_,
    "text": lambda: (str(PROFILER), repr(PROFILER)),
    "reset": PROFILER.reset,
}


@pytest.mark.parametrize("name", FAST)
def test_nothing_is_left_behind(lost_references, name):
    assert lost_references(FAST[name], 10_000) < 0.03


@pytest.mark.parametrize("name", SLOW)
def test_nothing_is_left_behind_by_what_takes_longer(lost_references, name):
    section()
    assert lost_references(SLOW[name], 200, noise=0.2) < 0.2
