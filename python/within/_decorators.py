"""Functions that run in a section of their own at every call: what ``@section(name)`` makes."""

import functools
import inspect


def in_section(section, function):
    """Return `function`, run in a section like `section`, which is never opened itself.

    Coroutines and generators are in it from their first step to their end, waiting included.
    """
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(in_section(section, function.__func__))
    if isinstance(function, type) or not callable(function):
        kind = f"class {function.__name__!r}" if isinstance(function, type) else type(function).__name__
        name = section.label if hasattr(section, "label") else section.name
        raise TypeError(f"{type(section).__name__}({name!r}) decorates functions, not {kind}")
    return functools.wraps(function)(_wrapper_for(function)(section._again, function))


def _wrapper_for(function):
    if inspect.iscoroutinefunction(function):
        return _coroutine_function
    if inspect.isasyncgenfunction(function):
        return _async_generator_function
    if inspect.isgeneratorfunction(function):
        return _generator_function
    return _function


def _function(again, function):
    def call(*args, **kwargs):
        with again():
            return function(*args, **kwargs)

    return call


def _generator_function(again, function):
    def call(*args, **kwargs):
        with again():
            return (yield from function(*args, **kwargs))

    return call


def _coroutine_function(again, function):
    async def call(*args, **kwargs):
        with again():
            return await function(*args, **kwargs)

    return call


def _async_generator_function(again, function):
    async def call(*args, **kwargs):
        with again():
            generator = function(*args, **kwargs)
            step = generator.__anext__()
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    step = generator.asend((yield value))
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:
                    step = generator.athrow(error)

    return call
