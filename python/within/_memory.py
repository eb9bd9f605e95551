"""track_memory: what a block left behind in host memory, and the most that it held."""

import sys

from . import _within


def megabytes(count, sign=""):
    """Bytes as the line has them."""
    return "unknown" if count is None else f"{count / 1e6:{sign}.1f}MB"


def traced_bytes():
    """What tracemalloc has traced and is still there; None while it is off."""
    tracemalloc = sys.modules.get("tracemalloc")
    return tracemalloc.get_traced_memory()[0] if tracemalloc and tracemalloc.is_tracing() else None


def difference(after, before):
    """None if either is."""
    return None if after is None or before is None else after - before


class track_memory:
    """Tell how a block changed the process's resident memory, and the most that it held.

    On leaving it prints ``[label] Memory: delta=+128.5MB, current=578.7MB, peak=612.3MB, blocks=+1,204``, in units of
    10⁶ bytes, and ``tracked=+12.0MB`` too while tracemalloc is tracing.

    Parameters
    ----------
    label : str, optional
        Without one the line has no prefix.
    quiet : bool, optional
        Print nothing.
    stream : file-like, optional
        Where to print; by default `sys.stdout`, as it is when the block ends.

    Attributes
    ----------
    before, current : int or None
        Resident bytes, on entering and on leaving. None before the block has come so far, and where the system does
        not tell.
    delta : int or None
        ``current - before``.
    peak : int or None
        The most resident bytes in the block. Blocks may nest and overlap: each has its own.
    peak_is_exact : bool
        False where the system does not let its peak be reset: `peak` then is the least that it can have been.
    blocks : int or None
        By how much the number of blocks that Python's allocator has given out changed.
    tracked : int or None
        By how many bytes what tracemalloc tracks changed; None if it was off at either end.

    Raises
    ------
    RuntimeError
        If this object is in a block already.

    Notes
    -----
    It is memory of the whole process, other threads included. The kernel's peak, ``VmHWM``, is reset wherever a block
    begins, and ``ru_maxrss`` with it.

    Examples
    --------
    >>> import within as wi
    >>> with wi.track_memory("load", quiet=True) as memory:
    ...     data = bytearray(50_000_000)
    >>> memory.delta > 40e6 and memory.peak >= memory.current
    True
    """

    def __init__(self, label="", *, quiet=False, stream=None):
        if not isinstance(label, str):
            raise TypeError(f"track_memory() label must be str, not {type(label).__name__}")
        if stream is not None and not hasattr(stream, "write"):
            raise TypeError(f"track_memory() stream must have a method write(), and {type(stream).__name__} has none")
        self.label = label
        self.quiet = quiet
        self.stream = stream
        self.before = self.current = self.delta = self.peak = self.blocks = self.tracked = None
        self.peak_is_exact = False
        self._memory = None

    def __enter__(self):
        if self._memory:
            raise RuntimeError(f"track_memory {self.label!r} is in a block already: one object tracks one at a time")
        memory = _within.HostMemory()
        self.current = self.delta = self.peak = self.blocks = self.tracked = None
        self._tracked_before = traced_bytes()
        self._blocks_before = sys.getallocatedblocks()
        self.before = memory.enter()
        self._memory = memory
        return self

    def __exit__(self, kind, error, traceback):
        if not self._memory:
            raise RuntimeError(f"track_memory {self.label!r} is not in a block")
        blocks = sys.getallocatedblocks()
        self.current, self.peak, self.peak_is_exact = self._memory.leave()
        self._memory = None
        self.delta = difference(self.current, self.before)
        self.blocks = blocks - self._blocks_before
        self.tracked = difference(traced_bytes(), self._tracked_before)
        if not self.quiet:
            self._print()

    def _print(self):
        prefix = f"[{self.label}] " if self.label else ""
        least = "" if self.peak_is_exact or self.peak is None else "at least "
        tracked = "" if self.tracked is None else f", tracked={megabytes(self.tracked, '+')}"
        print(
            f"{prefix}Memory: delta={megabytes(self.delta, '+')}, current={megabytes(self.current)}, "
            f"peak={least}{megabytes(self.peak)}, blocks={self.blocks:+,}{tracked}",
            file=self.stream,
        )


track_memory.__module__ = "within"
