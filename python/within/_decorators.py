"""Functions that run in a block of their own at every call: what ``@section(name)`` and its like make."""

import functools
import inspect


def in_section(section, function):
    """Return `function`, run in a section or Timer like `section`, which is never opened itself."""
    name = section.label if hasattr(section, "label") else section.name
    return decorated(function, section._again, f"{type(section).__name__}({name!r})")


def decorated(function, again, decorator):
    """Return `function`, run in a manager that ``again()`` gives; `decorator` is for messages.

    Coroutines and generators are in it from their first step to their end, waiting included.
    """
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorated(function.__func__, again, decorator))
    if isinstance(function, type) or not callable(function):
        kind = f"class {function.__name__!r}" if isinstance(function, type) else type(function).__name__
        raise TypeError(f"{decorator} decorates functions, not {kind}")
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
