"""What encloses what: a section's parent is the innermost open one whose block encloses the running code."""

import pytest

HEAD = """
import asyncio, contextlib, gc, sys, threading
import within as wi
"""


@pytest.fixture
def calls(record):
    """A function that runs a script and gives the calls of each path; nothing may be open or mismatched."""

    def run(text):
        result = record(HEAD + text)
        assert not result["open"] and not result["mismatched"]
        return {path: row["calls"] for path, row in result.paths.items()}

    return run


# ---- generators ----


def test_a_suspended_generator_encloses_nothing(calls):
    assert calls(
        """
def generate():
    with wi.section("generator"):
        yield
        with wi.section("inside"): pass
        yield
generator = generate()
next(generator)
with wi.section("between"): next(generator)
with wi.section("after"): pass
generator.close()
with wi.section("end"): pass
"""
    ) == {"generator": 1, "generator > inside": 1, "between": 1, "after": 1, "end": 1}


def test_a_generator_is_enclosed_by_where_it_began(calls):
    assert calls(
        """
def generate():
    for _ in range(3):
        with wi.section("load"):
            with wi.section("read"): pass
        yield
with wi.section("epoch"):
    for _ in generate():
        with wi.section("train"): pass
"""
    ) == {"epoch": 1, "epoch > load": 3, "epoch > load > read": 3, "epoch > train": 3}


def test_generators_in_turn(calls):
    assert calls(
        """
def generate(name):
    with wi.section(name):
        for _ in range(3):
            with wi.section("step"): yield
with wi.section("run"):
    for _ in zip(generate("a"), generate("b")):
        with wi.section("body"): pass
with wi.section("after"): pass
"""
    ) == {"run": 1, "run > a": 1, "run > a > step": 3, "run > b": 1, "run > b > step": 3, "run > body": 3, "after": 1}


def test_a_generator_within_a_generator(calls):
    assert calls(
        """
def inner():
    with wi.section("inner"):
        yield 1
        with wi.section("deep"): yield 2
def outer():
    with wi.section("outer"):
        yield from inner()
        with wi.section("last"): yield 3
for _ in outer():
    with wi.section("body"): pass
"""
    ) == {
        "outer": 1,
        "outer > inner": 1,
        "outer > inner > deep": 1,
        "outer > last": 1,
        "body": 3,
    }


def test_functions_called_by_a_generator_are_enclosed_by_it(calls):
    assert calls(
        """
def function():
    with wi.section("function"): pass
def generate():
    with wi.section("generator"):
        yield
        function()
generator = generate(); next(generator)
with wi.section("other"):
    list(generator)
    function()
"""
    ) == {"generator": 1, "generator > function": 1, "other": 1, "other > function": 1}


def test_a_generator_that_is_closed_elsewhere(calls):
    assert calls(
        """
def generate():
    with wi.section("generator"): yield
def begin():
    with wi.section("began"):
        generator = generate(); next(generator)
        return generator
generator = begin()
with wi.section("ended"):
    generator.close()
    with wi.section("after"): pass
with wi.section("end"): pass
"""
    ) == {"began": 1, "began > generator": 1, "ended": 1, "ended > after": 1, "end": 1}


def test_a_generator_that_another_thread_closes_or_resumes(calls):
    assert calls(
        """
def generate():
    with wi.section("generator"):
        yield
        with wi.section("inside"): pass
        yield
def in_thread(function):
    thread = threading.Thread(target=function); thread.start(); thread.join()
def resume():
    with wi.section("thread"):
        next(resumed)
        with wi.section("after"): pass
closed, resumed = generate(), generate()
with wi.section("main"):
    next(closed); next(resumed)
in_thread(closed.close)
in_thread(resume)
with wi.section("between"): pass
resumed.close()
with wi.section("end"): pass
"""
    ) == {
        "main": 1,
        "main > generator": 2,
        "main > generator > inside": 1,
        "thread": 1,
        "thread > after": 1,
        "between": 1,
        "end": 1,
    }


def test_a_generator_that_the_garbage_collector_closes(calls):
    assert calls(
        """
def generate():
    with wi.section("generator"): yield
class Cycle: pass
with wi.section("began"):
    cycle = Cycle(); cycle.self = cycle
    cycle.generator = generate(); next(cycle.generator)
del cycle
with wi.section("collect"):
    gc.collect()
    with wi.section("after"): pass
with wi.section("end"): pass
"""
    ) == {"began": 1, "began > generator": 1, "collect": 1, "collect > after": 1, "end": 1}


def test_an_error_thrown_into_a_generator(record):
    result = record(
        HEAD
        + """
def generate():
    with wi.section("generator"):
        try: yield
        except ValueError:
            with wi.section("handled"): pass
            raise
generator = generate(); next(generator)
try: generator.throw(ValueError("no"))
except ValueError: pass
with wi.section("after"): pass
"""
    )
    assert {path: row["errors"] for path, row in result.paths.items()} == {
        "generator": 1,
        "generator > handled": 0,
        "after": 0,
    }


# ---- managers made of generators ----

# The last line of the generators below; some look as if they counted frames, and get managers that have one.
YIELD = "    with wi.section(name): yield\n"


@pytest.fixture(params=["contextlib", "within.contextlib", "within.contextlib, frames counted"])
def managed_calls(request, calls):
    """`calls` for scripts with managers of the standard library, and with ours."""
    library, _, counted = request.param.partition(", ")

    def run(text):
        if counted:
            text = text.replace(YIELD, "    sys._getframe\n" + YIELD)
        return calls(f"import {library} as contextlib\n" + text)

    return run


MANAGER = """
@contextlib.contextmanager
def phase(name):
    with wi.section(name): yield
"""


def test_a_manager_made_of_a_generator_encloses_its_block(managed_calls):
    assert managed_calls(
        MANAGER
        + """
for _ in range(2):
    with phase("load"):
        with wi.section("read"): pass
        with phase("parse"):
            with wi.section("line"): pass
    with wi.section("after"): pass
"""
    ) == {"load": 2, "load > read": 2, "load > parse": 2, "load > parse > line": 2, "after": 2}


def test_a_manager_around_a_manager(managed_calls):
    assert managed_calls(
        MANAGER
        + """
@contextlib.contextmanager
def twice():
    with wi.section("outer"), phase("inner"):
        with wi.section("begin"): pass
        yield
        with wi.section("end"): pass
with twice():
    with wi.section("body"): pass
with wi.section("after"): pass
"""
    ) == {
        "outer": 1,
        "outer > inner": 1,
        "outer > inner > begin": 1,
        "outer > inner > body": 1,
        "outer > inner > end": 1,
        "after": 1,
    }


def test_exit_stacks_enclose_the_code_that_has_them(managed_calls):
    assert managed_calls(
        MANAGER
        + """
def generate():
    with contextlib.ExitStack() as stack:
        stack.enter_context(wi.section("entered"))
        stack.enter_context(phase("phase"))
        yield
        with wi.section("inside"): pass
generator = generate(); next(generator)
with wi.section("beside"): pass
list(generator)
with wi.section("after"): pass
"""
    ) == {"entered": 1, "entered > phase": 1, "entered > phase > inside": 1, "beside": 1, "after": 1}


def test_asynchronous_managers_in_tasks(managed_calls):
    assert managed_calls(
        """
@contextlib.asynccontextmanager
async def phase(name):
    await asyncio.sleep(0)
    with wi.section(name): yield
async def task(name):
    async with phase(name):
        await asyncio.sleep(0)
        with wi.section("inside"): await asyncio.sleep(0)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(phase("stack"))
        await asyncio.sleep(0)
        with wi.section("inside"): pass
async def main():
    await asyncio.gather(*(task(f"task {i}") for i in range(3)))
asyncio.run(main())
"""
    ) == {
        **{f"task {i}": 1 for i in range(3)},
        **{f"task {i} > inside": 1 for i in range(3)},
        "stack": 3,
        "stack > inside": 3,
    }


# ---- tasks ----


def test_a_hundred_interleaved_tasks(calls):
    assert calls(
        """
async def step(i):
    with wi.section("step"):
        await asyncio.sleep(0.0001 * (i % 7))
        with wi.section("compute"): pass
async def task(i):
    with wi.section("task"):
        for _ in range(5):
            await step(i)
        with wi.section("even" if i % 2 == 0 else "odd"): await asyncio.sleep(0)
async def main():
    with wi.section("main"):
        await asyncio.gather(*(task(i) for i in range(100)))
        with wi.section("summary"): pass
asyncio.run(main())
with wi.section("after"): pass
"""
    ) == {
        "main": 1,
        "main > summary": 1,
        "task": 100,
        "task > step": 500,
        "task > step > compute": 500,
        "task > even": 50,
        "task > odd": 50,
        "after": 1,
    }


def test_cancelled_tasks(record):
    result = record(
        HEAD
        + """
async def task():
    with wi.section("task"):
        with wi.section("wait"): await asyncio.sleep(10)
async def main():
    tasks = [asyncio.ensure_future(task()) for _ in range(10)]
    await asyncio.sleep(0)
    for each in tasks[::2] + tasks[1::2]: each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with wi.section("after"): pass
asyncio.run(main())
"""
    )
    assert {path: row["calls"] for path, row in result.paths.items()} == {"task": 10, "task > wait": 10, "after": 1}
    assert not result["open"] and not result["mismatched"]


def test_asynchronous_generators(calls):
    assert calls(
        """
async def generate():
    with wi.section("generator"):
        for _ in range(3):
            with wi.section("fetch"): await asyncio.sleep(0)
            yield
async def main(i):
    with wi.section("main"):
        async for _ in generate():
            with wi.section("body"): await asyncio.sleep(0)
async def both(): await asyncio.gather(main(1), main(2))
asyncio.run(both())
"""
    ) == {"main": 2, "main > generator": 2, "main > generator > fetch": 6, "main > body": 6}


def test_loops_in_two_threads(calls):
    assert calls(
        """
async def task(name):
    with wi.section(name):
        for _ in range(20):
            with wi.section("step"): await asyncio.sleep(0)
async def main(name): await asyncio.gather(*(task(name) for _ in range(10)))
threads = [threading.Thread(target=asyncio.run, args=(main(name),)) for name in ("a", "b")]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    ) == {"a": 10, "a > step": 200, "b": 10, "b > step": 200}


# ---- opened by hand ----


def test_a_section_opened_by_hand_encloses_what_comes(calls):
    assert calls(
        """
section = wi.section("by hand")
def begin(): section.__enter__()
def end(): section.__exit__(None, None, None)
begin()
with wi.section("inside"): pass
end()
with wi.section("after"): pass
"""
    ) == {"by hand": 1, "by hand > inside": 1, "after": 1}


def test_sections_closed_in_the_order_of_their_begins(calls):
    assert calls(
        """
a, b, c = (wi.section(name) for name in "abc")
for section in a, b, c: section.__enter__()
for section in a, b:
    section.__exit__(None, None, None)
    with wi.section("inside"): pass
c.__exit__(None, None, None)
with wi.section("after"): pass
"""
    ) == {"a": 1, "a > b": 1, "a > b > c": 1, "a > b > c > inside": 2, "after": 1}


def test_the_stack_of_a_thread_is_its_own(calls):
    assert calls(
        """
def work():
    with wi.section("thread"):
        barrier.wait()
        with wi.section("inside"): barrier.wait()
barrier = threading.Barrier(4)
threads = [threading.Thread(target=work) for _ in range(4)]
with wi.section("main"):
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
    ) == {"main": 1, "thread": 4, "thread > inside": 4}


def test_a_section_that_another_thread_closes(calls):
    assert calls(
        """
section = wi.section("moved")
with wi.section("main"):
    section.__enter__()
    def close():
        with wi.section("thread"):
            section.__exit__(None, None, None)
            with wi.section("inside"): pass
    thread = threading.Thread(target=close); thread.start(); thread.join()
    with wi.section("beside"): pass
with wi.section("after"): pass
"""
    ) == {"main": 1, "main > moved": 1, "main > beside": 1, "thread": 1, "thread > inside": 1, "after": 1}


def test_many_short_threads(record):
    result = record(
        HEAD
        + """
def leave_open():
    with wi.section("thread"): kept.append(wi.section("kept").__enter__())
kept = []
for _ in range(300):
    thread = threading.Thread(target=leave_open); thread.start(); thread.join()
del kept
with wi.section("after"): pass
"""
    )
    assert {path: row["calls"] for path, row in result.paths.items()} == {
        "thread": 300,
        "thread > kept": 300,
        "after": 1,
    }
    assert not result["open"] and not result["mismatched"]
