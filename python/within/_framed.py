"""Managers that keep a Python frame where the standard ones have it, for generators that count frames.

``warnings.warn("...", stacklevel=3)`` in a generator manager means the line of the ``with`` statement: past
the generator and past contextlib's ``__enter__``. C has no frame there, so that 3 would mean a frame further.
Generator functions that seem to count frames get these classes, which have the frame, and its cost.
"""

import contextlib

from . import _within

# What counts frames: as a name that the function uses, or as a keyword argument.
NAMES = frozenset(["warn", "_getframe", "_getframemodulename", "currentframe"])
KEYWORD = "stacklevel"


def counts_frames(func):
    """Whether a function's code mentions what counts frames; what it calls is not looked at."""
    return _within.mentions(func, NAMES, KEYWORD)


class _GeneratorContextManager(_within._GeneratorContextManager):
    __doc__ = _within._GeneratorContextManager.__doc__
    __module__ = "within.contextlib"

    __call__ = contextlib.ContextDecorator.__call__

    def __enter__(self):
        return _within._GeneratorContextManager.__enter__(self)

    def __exit__(self, typ, value, traceback):
        return _within._GeneratorContextManager.__exit__(self, typ, value, traceback)


class _AsyncGeneratorContextManager(_within._AsyncGeneratorContextManager):
    __doc__ = _within._AsyncGeneratorContextManager.__doc__
    __module__ = "within.contextlib"

    async def __aenter__(self):
        return await _within._AsyncGeneratorContextManager.__aenter__(self)

    async def __aexit__(self, typ, value, traceback):
        return await _within._AsyncGeneratorContextManager.__aexit__(self, typ, value, traceback)
