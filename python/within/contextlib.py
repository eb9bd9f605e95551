"""The standard contextlib, faster: the same names, the same behaviour."""

from contextlib import *  # noqa: F403
from contextlib import __all__  # noqa: F401

from ._within import nullcontext  # noqa: F401
from ._generators import asynccontextmanager  # noqa: F401
from ._generators import contextmanager  # noqa: F401
from ._within import ContextDecorator  # noqa: F401
from ._within import _AsyncGeneratorContextManager  # noqa: F401
from ._within import _GeneratorContextManager  # noqa: F401
from ._within import _GeneratorContextManagerBase  # noqa: F401
