"""Sections as decorators: each call is in a section of its own."""

import asyncio
import functools
import inspect
import typing

import pytest

import within as wi

HEAD = """
import asyncio, within as wi
"""


def test_functions_methods_and_static_methods(record):
    paths = record(
        HEAD
        + """
@wi.section("function")
def function(a, *, b=2):
    return method(a + b)
class Class:
    @wi.section("method")
    def method(self, x): return x + 1
    @staticmethod
    @wi.section("below static")
    def below(x): return x
    @wi.section("above static")
    @staticmethod
    def above(x): return x
    @wi.section("class method")
    @classmethod
    def class_method(cls): return cls
method = Class().method
assert function(1, b=3) == 5 and function(a=1) == 4
assert Class.below(1) == Class().below(1) == Class.above(1) == Class().above(1) == 1
assert Class.class_method() is Class().class_method() is Class
"""
    ).paths
    assert {path: row["calls"] for path, row in paths.items()} == {
        "function": 2,
        "function > method": 2,
        "below static": 2,
        "above static": 2,
        "class method": 2,
    }


def test_recursion_and_errors(record):
    paths = record(
        HEAD
        + """
@wi.section("fall")
def fall(n):
    if n == 0: raise ValueError(n)
    fall(n - 1)
try: fall(2)
except ValueError: pass
"""
    ).paths
    assert {path: (row["calls"], row["errors"]) for path, row in paths.items()} == {
        "fall": (1, 1),
        "fall > fall": (1, 1),
        "fall > fall > fall": (1, 1),
    }


def test_generators_are_measured_from_their_first_step_to_their_end(record):
    paths = record(
        HEAD
        + """
@wi.section("generator")
def generate(n):
    for i in range(n):
        try: received.append((yield i))
        except KeyError: received.append("thrown")
    return "returned"
received = []
unused = generate(3)
with wi.section("body"):
    steps = generate(2)
    assert next(steps) == 0 and steps.send("sent") == 1
    try: steps.throw(KeyError)
    except StopIteration as stop: assert stop.value == "returned"
half = generate(3); next(half); half.close()
assert received == ["sent", "thrown"]
"""
    ).paths
    assert {path: row["calls"] for path, row in paths.items()} == {"body": 1, "body > generator": 1, "generator": 1}


def test_coroutines_and_asynchronous_generators(record):
    result = record(
        HEAD
        + """
@wi.section("coroutine")
async def wait(x):
    await asyncio.sleep(0)
    with wi.section("inside"): return x
@wi.section("asynchronous generator")
async def generate():
    try:
        for i in range(3):
            await asyncio.sleep(0)
            try: received.append((yield i))
            except KeyError: received.append("thrown")
    finally: received.append("closed")
received = []
async def main():
    assert await asyncio.gather(*(wait(i) for i in range(10))) == list(range(10))
    assert [i async for i in generate()] == [0, 1, 2]
    steps = generate()
    assert await steps.asend(None) == 0 and await steps.asend("sent") == 1
    assert await steps.athrow(KeyError) == 2
    await steps.aclose()
    try: await generate().athrow(ValueError)
    except ValueError: pass
asyncio.run(main())
assert received == [None] * 3 + ["closed", "sent", "thrown", "closed"], received
"""
    )
    assert {path: row["calls"] for path, row in result.paths.items()} == {
        "coroutine": 10,
        "coroutine > inside": 10,
        "asynchronous generator": 2,
    }
    assert not result["open"] and not result["mismatched"]


def test_what_is_decorated_stays_what_it_was():
    def function(a: int, b: str = "x") -> float:
        """What it does."""

    async def coroutine(): ...

    def generator():
        yield

    async def async_generator():
        yield

    decorate = wi.section("a")
    assert inspect.iscoroutinefunction(decorate(coroutine)) and asyncio.iscoroutinefunction(decorate(coroutine))
    assert inspect.isgeneratorfunction(decorate(generator))
    assert inspect.isasyncgenfunction(decorate(async_generator))
    decorated = decorate(function)
    assert inspect.isfunction(decorated) and decorated.__wrapped__ is function
    assert decorated.__name__ == "function" and decorated.__doc__ == "What it does."
    assert inspect.signature(decorated) == inspect.signature(function)
    assert typing.get_type_hints(decorated) == {"a": int, "b": str, "return": float}


def test_other_callables():
    assert wi.section("a")(functools.partial(int, "12"))() == 12
    assert wi.section("a")(len)([1, 2]) == 2


def test_one_section_may_decorate_while_it_is_open():
    section = wi.section("a")
    with section:
        assert section(lambda: 1)() == 1
    first, second = section(lambda: 1), section(lambda: first())
    assert second() == 1


@pytest.mark.parametrize(
    "thing, kind", [(3, "int"), ("text", "str"), (int, "class 'int'"), (property(len), "property")]
)
def test_what_is_no_function_is_refused(thing, kind):
    with pytest.raises(TypeError, match=rf"^section\('a'\) decorates functions, not {kind}$"):
        wi.section("a")(thing)


def test_more_arguments_than_a_function_are_refused():
    with pytest.raises(TypeError, match="takes one function"):
        wi.section("a")(len, len)
    with pytest.raises(TypeError, match="takes one function"):
        wi.section("a")(function=len)


def test_a_subclass_makes_its_own_sections():
    class Own(wi.section):
        entered = 0

        def __enter__(self):
            Own.entered += 1
            return super().__enter__()

    function = Own("a")(lambda: 1)
    assert function() + function() == 2 and Own.entered == 2


def test_nothing_is_lost(lost_references):
    @wi.section("a")
    def function():
        return 1

    @wi.section("b")
    def generator():
        yield 1

    assert lost_references(lambda: (function(), list(generator()))) < 0.01
