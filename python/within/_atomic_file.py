"""Files that appear whole or not at all: Python's file objects on the core's temporary files."""

import io
import os

from . import _within


class atomic_file:
    """Write a file that appears whole, when the block ends, or not at all.

    Until then, and after an exception, a kill or a power cut, the target has its old content, or is not there.
    The temporary file beside it is flushed, given the old one's permissions, synced, and renamed over it.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The target: a regular file or nothing. Symbolic links are followed to their end.
    mode : str
        ``"w"`` to write, or ``"x"`` to write what must not be there yet; behind it ``"b"`` for bytes or ``"t"``
        for text, and ``"+"`` to read back as well.
    size : int, optional
        Bytes to reserve on the disk when the block begins, so that a lack of room is found then.
    sync : bool
        Whether the end waits for the disk. Without, a power cut may leave an empty file.
    encoding, errors, newline : str, optional
        Of text, as of ``open``.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, FileExistsError, OSError
        By the block's begin, when the target cannot be replaced, or not be written later; by its end, when
        something could not be written. Each names the target. The old file is untouched then, except where the
        message says that the new content is in place: only syncing the folder failed.
    ValueError
        For another mode, a negative size, or an encoding of bytes.
    RuntimeError
        When an object is used for a second block.

    Notes
    -----
    The block gets one of Python's own file objects, whose ``name`` is the target's path. Any exception discards,
    ``KeyboardInterrupt`` too; a ``return`` publishes. So does a file object that was closed in the block. A write
    that failed is remembered: nothing is published even if the block went on. In a forked child the end of the
    block neither publishes nor discards, and what the child has not flushed is dropped.

    Examples
    --------
    >>> import os, tempfile, within as wi
    >>> folder = tempfile.mkdtemp()
    >>> path = os.path.join(folder, "ber.csv")
    >>> with wi.atomic_file(path) as file:
    ...     print("snr,ber", file=file)
    ...     os.path.exists(path)
    False
    >>> open(path).read()
    'snr,ber\\n'
    """

    __module__ = "within"

    def __init__(self, path, mode="w", *, size=None, sync=True, encoding=None, errors=None, newline=None):
        self._path = os.fspath(path)
        self._mode = mode
        self._text = _is_text(mode, encoding, errors, newline)
        size = 0 if size is None else size
        if size < 0:
            raise ValueError(f"atomic_file() size must not be negative, but is {size}")
        self._core = _within.AtomicFile(os.fsencode(path), size, sync, mode.strip("bt+") == "x")
        self._process = self._raw = self._file = None

    def __enter__(self):
        descriptor = self._core.enter()
        self._process = os.getpid()
        try:
            # Its own descriptor: what the file object does after the block cannot meet another file.
            self._raw = _Raw(self._path, self._mode.replace("t", "").replace("b", ""), lambda *_: os.dup(descriptor))
            self._file = self._buffered()
        except BaseException:
            self._core.exit(False)
            raise
        return self._file

    def __exit__(self, kind, error, traceback):
        if self._raw is None:
            raise RuntimeError(f"{self!r} is not open")
        whole = False
        try:
            if kind is None and os.getpid() == self._process:
                self._flush()
                whole = True
        finally:
            try:
                self._core.exit(whole)
            finally:
                self._raw.forget()

    def __repr__(self):
        return f"<within.atomic_file {self._path!r}>"

    def _buffered(self):
        file = (io.BufferedRandom if "+" in self._mode else io.BufferedWriter)(self._raw)
        if self._text is not None:
            file = io.TextIOWrapper(file, *self._text)
            file.mode = self._mode
        return file

    def _flush(self):
        if not self._file.closed:
            self._file.flush()
        if self._raw.failed:
            raise OSError(f"{os.fsdecode(self._path)}: an earlier write of it has failed")


class atomic_path:
    """Get a path for a library to write a file at; the file is published when the block ends, or not at all.

    Until then, and after an exception, a kill or a power cut, the target has its old content, or is not there. What
    lies at the path at the end is given the old file's permissions, synced, and renamed over the target.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The target: a regular file or nothing. Symbolic links are followed to their end.
    sync : bool
        Whether the end waits for the disk. Without, a power cut may leave an empty file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        As of `atomic_file`; ``FileNotFoundError`` too when the block has made no file, and ``IsADirectoryError``
        when it has made a folder, which is left where it is.
    RuntimeError
        When an object is used for a second block.

    Notes
    -----
    The block gets a str: an absolute path in the target's folder, with a name that tells whose it is
    (``.weights.npz.within-…``). Nothing is there yet, and the library must have closed its file before the block
    ends. One that adds a suffix of its own to paths without it needs a file object: see `atomic_file`.

    Examples
    --------
    >>> import os, shutil, tempfile, within as wi
    >>> folder = tempfile.mkdtemp()
    >>> with wi.atomic_path(os.path.join(folder, "copy")) as temporary:
    ...     _ = shutil.copyfile(os.devnull, temporary)
    >>> os.listdir(folder)
    ['copy']
    """

    __module__ = "within"

    def __init__(self, path, *, sync=True):
        self._path = os.fspath(path)
        self._core = _within.AtomicPath(os.fsencode(path), sync)

    def __enter__(self):
        return self._core.enter()

    def __exit__(self, kind, error, traceback):
        self._core.exit(kind is None)

    def __repr__(self):
        return f"<within.atomic_path {self._path!r}>"


class _Raw(io.FileIO):
    """The descriptor below a file object: it remembers a failed write, and its errors name the target."""

    def __init__(self, path, mode, opener):
        super().__init__(path, mode, opener=opener)
        self.failed = False

    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            self.failed = True
            error.filename = self.name
            raise

    def forget(self):
        """Close it first, so that the file object does not write what it still holds."""
        try:
            self.close()
        except OSError:
            pass  # the core has closed the same file, and told of trouble


def _is_text(mode, encoding, errors, newline):
    """The arguments of a text file; None for one of bytes."""
    if mode.strip("bt+") not in ("w", "x") or len(set(mode)) != len(mode) or {"b", "t"} <= set(mode):
        raise ValueError(f"atomic_file() mode must be 'w' or 'x', with 'b' or 't' and '+' if need be, not {mode!r}")
    if "b" not in mode:
        return io.text_encoding(encoding, 3), errors, newline
    for name, value in ("encoding", encoding), ("errors", errors), ("newline", newline):
        if value is not None:
            raise ValueError(f"atomic_file() of bytes takes no {name}")
    return None
