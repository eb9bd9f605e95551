"""workdir: a block in another working directory, and back to the very one that it came from."""

import os

from ._process_state import ProcessState
from ._within import CoreBlock


class workdir(ProcessState):
    """Go to another working directory for a block.

    The block gets the directory's path, an absolute ``str``. Its end goes back to the very directory that it came
    from, which is kept open meanwhile: also when that was moved, renamed or removed in the block, where
    ``contextlib.chdir``, which goes by the path, fails or comes to another directory.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        A directory.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError, OSError
        By the block's begin, when it is no place to be in. By its end, when the way back is shut by now.
    RuntimeError
        When the object is open already.

    Notes
    -----
    The working directory is the process's: relative paths of all threads are seen from it. Blocks may end in any
    order: the process is where the newest open one has gone, and in the end where it was before them all. The
    variable PWD is left as it is. In a forked child the end takes the child back.

    As a decorator it has each call of a function in a block of its own, coroutines and generators from their first
    step to their end.

    Examples
    --------
    >>> import os, tempfile
    >>> import within as wi
    >>> folder, before = os.path.realpath(tempfile.mkdtemp()), os.getcwd()
    >>> with wi.workdir(folder) as path:
    ...     path == os.getcwd() == folder
    True
    >>> os.getcwd() == before
    True
    """

    __module__ = "within"

    def __init__(self, path):
        self._path = os.fspath(path)

    def __repr__(self):
        return f"<within.workdir {self._path!r}>"

    def _begin(self):
        block = CoreBlock.workdir(os.fsencode(self._path))
        try:
            return block, os.getcwd()
        except BaseException:
            block.end()
            raise

    def _again(self):
        return type(self)(self._path)
