"""The functions that decorators return: real ones, made here; where Python lets it, C makes their calls."""

from functools import wraps

from ._within import call_inside, fast_decorated_function, fast_manager_function


def manager_function(cls, func):
    """Return a function that calls `func` and gives a manager of its generator."""

    @wraps(func)
    def helper(*args, **kwds):
        return cls(func, args, kwds)

    return fast_manager_function(helper)


def decorated_function(manager, func):
    """Return a function that calls `func` in a block of `manager`."""

    @wraps(func)
    def inner(*args, **kwds):
        return call_inside(manager, func, args, kwds)

    return fast_decorated_function(inner)


def enter_and_exit(manager):
    """Open a block, for the error that Python raises where an object is no manager."""
    with manager:
        pass
