"""redirect_output: for a block, what anybody in the process prints goes into a file or a buffer."""

import os

from . import _within
from ._redirect_streams import Stream, flush

_FDS = {"stdout": 1, "stderr": 2}


class redirect_output:
    """Lead stdout and stderr into a file or a buffer: of Python, C, Fortran, and of programs that are started.

    It is the descriptors that are led elsewhere, for the whole process, and put back at the block's end, whatever
    ends it. ``sys.stdout`` and ``sys.stderr`` are written out before and after, and line by line in between, so that
    the order of what Python, C and others print is kept. Where ``sys.stdout`` is no file on its descriptor, as in notebooks,
    another stream stands for it until the block ends.

    Parameters
    ----------
    target : path, file object or int, optional
        A file, made if need be; or where a file object or descriptor leads. Without it, a buffer.
    stdout, stderr : bool
        Whether to redirect it. Both share one open file.
    tee : bool
        Whether what is caught also goes on to where the descriptor led before: stdout's, if both are redirected.
    append : bool
        Whether what the file at the path has, stays.

    Attributes
    ----------
    bytes : bytes
        What the buffer has caught, so far or in all.
    text : str
        The same, decoded.

    Raises
    ------
    OSError
        At the block's begin: the file cannot be opened, or a tee cannot follow it; nothing has changed then. At its
        end: what was printed cannot be written, as the disk is full; it is dropped, and all is put back.
    ValueError
        Neither stream is to be redirected, or `append` is given without a path.
    TypeError
        The target has no descriptor.
    RuntimeError
        The object is in a block already, or what was caught is asked for and has gone elsewhere.

    Notes
    -----
    The block gets the object itself. As a decorator, ``@within.redirect_output("log")``, it redirects each call. In a
    forked child the end of the block puts back the child's own descriptors, and leaves file and buffer to the parent.

    Examples
    --------
    >>> import os, subprocess
    >>> import within as wi
    >>> with wi.redirect_output() as output:
    ...     print("Python")
    ...     _ = os.write(1, b"a descriptor\\n")
    ...     _ = subprocess.run(["echo", "a program"])
    >>> output.text
    'Python\\na descriptor\\na program\\n'
    """

    __module__ = "within"

    _core = None  # of the newest block
    _streams = None  # while it is open

    def __init__(self, target=None, *, stdout=True, stderr=True, tee=False, append=False):
        if not (stdout or stderr):
            raise ValueError("redirect_output() has neither stdout nor stderr to redirect")
        if not (target is None or isinstance(target, int) or hasattr(target, "fileno")):
            target = os.fspath(target)
        elif append:
            raise ValueError("redirect_output() append is for a path")
        self._target, self._tee, self._append = target, tee, append
        self._fds = {name: fd for (name, fd), wanted in zip(_FDS.items(), (stdout, stderr)) if wanted}

    def __enter__(self):
        if self._streams is not None:
            raise RuntimeError(f"{self!r} is open already: make one for each block")
        path, fd = self._place()
        core = _within.Redirection(min(self._fds.values()), len(self._fds) == 2, path, fd, self._append, self._tee)
        for name, fd in _FDS.items():
            flush(name, fd)
        core.enter()
        self._core, self._streams = core, []
        try:
            for name, fd in _FDS.items():
                self._streams.append(Stream(name, fd, name in self._fds))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, traceback):
        if self._streams is None:
            raise RuntimeError(f"{self!r} is not open")
        streams, self._streams = self._streams, None
        try:
            try:
                self._write_out(streams)
            finally:
                for stream in reversed(streams):
                    stream.put_back()
        finally:
            self._core.exit()

    def __call__(self, function, /):
        import inspect

        from ._decorators import decorated

        inner = getattr(function, "__func__", function)
        if isinstance(function, type) or not callable(inner):
            raise TypeError(f"{self!r} decorates functions, not {function!r}")
        for is_suspended in inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction:
            if is_suspended(inner):
                raise TypeError(f"{self!r} would catch what others print while {inner.__qualname__}() waits")
        return decorated(function, self._again, repr(self))

    def __del__(self):
        if self._streams is not None:
            import warnings

            warnings.warn(f"implicitly ending {self!r}", ResourceWarning, source=self)
            self.__exit__(None, None, None)

    def __repr__(self):
        return "<within.redirect_output%s>" % ("" if self._target is None else f" {self._target!r}")

    @property
    def bytes(self):
        """What the buffer has caught: so far inside of the block, in all after it. Empty before."""
        if self._target is not None:
            raise RuntimeError(f"{self!r}: what was printed is there, and not in a buffer")
        if self._streams is not None:
            for stream in self._streams:
                stream.flush()
        return self._core.read() if self._core else b""

    @property
    def text(self):
        """The bytes, decoded as sys.stdout encodes; what cannot be decoded is replaced."""
        import sys

        return self.bytes.decode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace")

    def _place(self):
        """The path to write to, and the descriptor to lead to: None and 0 for a buffer."""
        if self._target is None:
            return None, 0
        if isinstance(self._target, (str, bytes)):
            return self._target, 0
        fd = self._target
        if not isinstance(fd, int):
            try:
                fd = self._target.fileno()
            except OSError as error:
                raise TypeError(f"{self!r}: it has no descriptor; without a target there is a buffer") from error
            self._target.flush()
        if fd <= 0:
            raise ValueError(f"{self!r}: descriptor {fd} is none to print to")
        return None, fd

    def _again(self):
        """Another like it, for another call of a decorated function."""
        again = type(self).__new__(type(self))
        again._target, again._tee, again._append, again._fds = self._target, self._tee, self._append, self._fds
        return again

    def _write_out(self, streams):
        """Write out what Python's streams hold; what cannot be written is dropped, and that is an error."""
        first = None
        for stream in streams:
            if stream.name not in self._fds:
                continue
            try:
                stream.flush()
            except OSError as error:
                stream.drop()
                first = first or error
        if first:
            if isinstance(self._target, (str, bytes)):
                first.filename = self._target
            raise first
