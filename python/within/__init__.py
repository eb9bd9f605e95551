"""With-blocks at C speed: what a block costs is measured, and the record survives kill -9."""

import os

from . import _within  # loads libwithin, which programs in C then share
from ._within import Timer, section  # noqa: F401
from ._profiler import Profiler  # noqa: F401

__version__ = _within.__version__


def get_include():
    """Return the folder of within.h, for C code that is built against this package."""
    return os.path.join(os.path.dirname(__file__), "include")


def get_library_dir():
    """Return the folder of libwithin.so, for linking: ``-L<folder> -lwithin``."""
    return os.path.join(os.path.dirname(__file__), "lib")


def __getattr__(name):
    """Import what is asked for seldom and takes a while when it is asked for."""
    if name == "contextlib":
        import importlib

        return importlib.import_module("within.contextlib")
    if name == "SectionStats":
        from ._stats import SectionStats

        return SectionStats
    raise AttributeError(f"module 'within' has no attribute {name!r}")
