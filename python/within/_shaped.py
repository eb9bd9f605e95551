"""Functions with the parameters of the one that they call, for Python 3.11.

3.11 runs a function's body whatever its vectorcall is. A body with ``*args, **kwds`` costs a dictionary a call,
and its call of the generator function a detour through C; one with plain parameters has neither.
"""

from functools import lru_cache
from types import FunctionType

STARRED = 0x04 | 0x08  # inspect.CO_VARARGS and CO_VARKEYWORDS; the module takes 5 ms to import


@lru_cache(512)
def maker(names):
    """Return a maker of functions with the parameters `names`, which give ``new(func(...), func, ...)``."""
    args = "".join(name + ", " for name in names)
    source = f"""
def make(new, func):
    def helper({args}):
        return new(func({args}), func, {args})
    return helper"""
    space = {}
    exec(source, space)
    return space["make"]


def is_plain(func):
    """Whether all parameters of a function are plain ones, without defaults, and leave the names free."""
    if type(func) is not FunctionType or func.__defaults__:
        return False
    code = func.__code__
    if code.co_kwonlyargcount or code.co_posonlyargcount or code.co_flags & STARRED:
        return False
    names = code.co_varnames[: code.co_argcount]
    return "new" not in names and "func" not in names


def shaped_function(new, func):
    """Return a function that calls `func` with the same parameters, and hands all to `new`."""
    code = func.__code__
    return maker(code.co_varnames[: code.co_argcount])(new, func)
