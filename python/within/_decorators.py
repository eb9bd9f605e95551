"""Functions that run in a block of their own at every call: what ``@section(name)`` and others make."""

import functools
import inspect


def in_section(section, function):
    """Return `function`, run in a section or Timer like `section`, which is never opened itself.

    Coroutines and generators are in it from their first step to their end, waiting included.
    """
    name = section.label if hasattr(section, "label") else section.name
    return in_block(section._again, function, f"{type(section).__name__}({name!r})")


def in_block(again, function, name=None):
    """Return `function`, run at every call in a manager of its own, which `again()` makes.

    Coroutines and generators are in it from their first step to their end, waiting included. `name` is for messages;
    by default that of the class that `again` is a method of.
    """
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(in_block(again, function.__func__, name))
    if isinstance(function, type) or not callable(function):
        kind = f"class {function.__name__!r}" if isinstance(function, type) else type(function).__name__
        raise TypeError(f"{name or type(again.__self__).__name__} decorates functions, not {kind}")
    return functools.wraps(function)(_wrapper_for(function)(again, function))


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
