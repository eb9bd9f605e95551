# The types of the standard module: what is written in C here is used in the same way.
import sys
from contextlib import (
    AbstractAsyncContextManager as AbstractAsyncContextManager,
    AbstractContextManager as AbstractContextManager,
    AsyncContextDecorator as AsyncContextDecorator,
    AsyncExitStack as AsyncExitStack,
    ContextDecorator as ContextDecorator,
    ExitStack as ExitStack,
    aclosing as aclosing,
    asynccontextmanager as asynccontextmanager,
    closing as closing,
    contextmanager as contextmanager,
    nullcontext as nullcontext,
    redirect_stderr as redirect_stderr,
    redirect_stdout as redirect_stdout,
    suppress as suppress,
)

__all__ = [
    "asynccontextmanager", "contextmanager", "closing", "aclosing", "nullcontext",
    "AbstractContextManager", "AbstractAsyncContextManager",
    "AsyncExitStack", "ContextDecorator", "ExitStack",
    "redirect_stdout", "redirect_stderr", "suppress",
]

if sys.version_info >= (3, 11):
    from contextlib import chdir as chdir
    __all__ += ["chdir"]
