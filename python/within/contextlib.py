"""The standard contextlib, faster: the same names, the same behaviour."""

import contextlib as _standard
from contextlib import *  # noqa: F403
from contextlib import __all__  # noqa: F401

from . import _within

_within.add_contextlib()

from ._generators import asynccontextmanager  # noqa: F401
from ._generators import contextmanager  # noqa: F401
from ._within import AsyncExitStack  # noqa: F401
from ._within import ContextDecorator  # noqa: F401
from ._within import ExitStack  # noqa: F401
from ._within import _AsyncGeneratorContextManager  # noqa: F401
from ._within import _BaseExitStack  # noqa: F401
from ._within import _GeneratorContextManager  # noqa: F401
from ._within import _GeneratorContextManagerBase  # noqa: F401
from ._within import _RedirectStream  # noqa: F401
from ._within import aclosing  # noqa: F401
from ._within import closing  # noqa: F401
from ._within import nullcontext  # noqa: F401
from ._within import redirect_stderr  # noqa: F401
from ._within import redirect_stdout  # noqa: F401
from ._within import suppress  # noqa: F401

if hasattr(_standard, "chdir"):
    from ._within import chdir  # noqa: F401


def __getattr__(name):
    # What programs take from the standard module though it is not public.
    return getattr(_standard, name)
