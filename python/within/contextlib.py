"""The standard contextlib, faster: the same names, the same behaviour."""

from contextlib import *  # noqa: F403
from contextlib import AsyncContextDecorator, __all__, _GeneratorContextManager  # noqa: F401

from ._within import nullcontext  # noqa: F401
