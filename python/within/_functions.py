"""The functions that decorators return: real ones, made here; where Python lets it, C makes their calls."""

import contextlib
import sys

from . import _within

# 3.11 alone runs a function's body although C could make the call.
if sys.version_info[:2] == (3, 11):
    from ._shaped import shaped_function
else:

    def shaped_function(new, func):
        """No function needs a body of its own."""
        return None


def manager_function(cls, func, new=None):
    """Return a function that calls `func` and gives a manager of its generator.

    Parameters
    ----------
    cls : type
        Of the managers: ``cls(func, args, kwds)``.
    func : callable
        The generator function.
    new : callable, optional
        A shorter way to the same: ``new(generator, func, *args)``.
    """
    shaped = new and shaped_function(new, func)
    if shaped:
        return _within.wrap(shaped, func)

    def helper(*args, **kwds):
        return cls(func, args, kwds)

    return _within.wrap(_within.fast_manager_function(helper), func)


# CO_GENERATOR, CO_COROUTINE and CO_ASYNC_GENERATOR of inspect, which takes 5 ms to import.
SUSPENDED = 0x20 | 0x80 | 0x200


def decorated_function(manager, func):
    """Return a function that calls `func` in a block of `manager`.

    From 3.15 on, what stands for a generator or coroutine function is one, too: the standard library's. So is
    what stands for others, except where C leaves the manager's methods out: 3.15 runs them as fast itself.
    """
    if sys.version_info >= (3, 15):
        standard = contextlib.ContextDecorator.__call__(manager, func)
        suspended = standard.__code__.co_flags & SUSPENDED
        if suspended or type(manager) is not _within._GeneratorContextManager:
            return standard

    def inner(*args, **kwds):
        return _within.call_inside(manager, func, args, kwds)

    return _within.wrap(_within.fast_decorated_function(inner), func)


def enter_and_exit(manager):
    """Open a block, for the error that Python raises where an object is no manager."""
    with manager:
        pass
