"""Functions inside a manager: each call of one, each coroutine and each generator gets a manager of its own."""

import functools

# Of code objects: see the documentation of the module inspect, which takes long to import.
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def in_manager(function, fresh):
    """Wrap `function` so that each call runs inside the manager that ``fresh()`` makes for it.

    A coroutine's and a generator's block begins with its first step and ends with its end.
    """
    kind = _flags(function)
    if kind & _COROUTINE:
        wrapper = _coroutine(function, fresh)
    elif kind & _ASYNC_GENERATOR:
        wrapper = _async_generator(function, fresh)
    elif kind & _GENERATOR:
        wrapper = _generator(function, fresh)
    else:
        wrapper = _function(function, fresh)
    return functools.wraps(function)(wrapper)


def _flags(function):
    """What kind of function it is, looking through functools.partial and methods."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None) or getattr(getattr(function, "__call__", None), "__code__", None)
    return getattr(code, "co_flags", 0)


def _function(function, fresh):
    def wrapper(*args, **kwargs):
        with fresh():
            return function(*args, **kwargs)

    return wrapper


def _coroutine(function, fresh):
    async def wrapper(*args, **kwargs):
        with fresh():
            return await function(*args, **kwargs)

    return wrapper


def _generator(function, fresh):
    def wrapper(*args, **kwargs):
        with fresh():
            return (yield from function(*args, **kwargs))

    return wrapper


def _async_generator(function, fresh):
    async def wrapper(*args, **kwargs):
        with fresh():
            generator = function(*args, **kwargs)
            step, given = generator.asend, None
            try:
                while True:
                    value = await step(given)
                    try:
                        step, given = generator.asend, (yield value)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step, given = generator.athrow, error
            except StopAsyncIteration:
                return
            finally:
                await generator.aclose()

    return wrapper
