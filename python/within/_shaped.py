"""Functions with the parameters of the one that they call, for Python 3.11.

3.11 runs a function's body whatever its vectorcall is. A body with ``*args, **kwds`` costs a dictionary a call,
and its call of the generator function a detour through C; one with plain parameters has neither.
"""

from functools import lru_cache

from . import _within


@lru_cache(512)
def maker(names):
    """Return a maker of functions with the parameters `names`, which give ``new(func(...), func, ...)``."""
    if "new" in names or "func" in names:
        return None
    args = "".join(name + ", " for name in names)
    source = f"""
def make(new, func):
    def helper({args}):
        return new(func({args}), func, {args})
    return helper"""
    space = {}
    exec(source, space)
    return space["make"]


def shaped_function(new, func):
    """Return a function that calls `func` with the same parameters, and hands all to `new`; or None."""
    names = _within.plain_parameters(func)
    make = None if names is None else maker(names)
    return make and make(new, func)
