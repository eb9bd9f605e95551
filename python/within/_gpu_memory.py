"""track_gpu_memory: says what its block took of a GPU's memory, by whatever library the program uses it with."""

import os
import sys
from _thread import RLock

from ._within import gpu_memory

_boundary = RLock()  # a source is read here, and shared out by the core: in one step
_waiting = []  # blocks for which there was no source in Python at their begin


def _begin_again_in_child():
    global _boundary
    _boundary = RLock()
    _waiting.clear()


os.register_at_fork(after_in_child=_begin_again_in_child)


class track_gpu_memory:
    """Print what a block took of a GPU's memory, and the most that was in use meanwhile.

    ``[Forward pass] GPU Memory: delta=+128.5MB, current=578.7MB, peak=612.3MB``, in 10\N{SUPERSCRIPT SIX} bytes. Peaks
    are exact however blocks nest or overlap, on any threads. Without a GPU the block runs, and the line says why
    nothing is tracked.

    The record has them in the section that is open around the block, and ``within report`` shows them.

    Figures come from what the program uses the GPU with, found among the modules that it has imported: PyTorch's
    allocator, CuPy's pool, JAX's statistics; else from the CUDA driver.

    Parameters
    ----------
    device : str, int or torch.device
        "cuda:0", 0, or "cuda" for PyTorch's current device. What is no CUDA device, such as "cpu", is not tracked.
    label : str
        Printed in brackets before the line; empty for none.
    quiet : bool
        Print nothing.
    stream : object with a method ``write``, optional
        Where to print; by default what ``print`` writes to, ``sys.stdout`` at that moment.

    Attributes
    ----------
    delta, current, peak : int or None
        Bytes in use at the block's end less those at its begin; in use at its end; and the most at any time of it.
        None before that, and for what is not known.
    source : str or None
        Where they come from: "PyTorch's allocator", "CUDA memory pool", …; None if nothing tracks.

    Raises
    ------
    ValueError
        The device is no device's name, or negative.
    RuntimeError
        When the object is entered while its block runs: one object tracks one block at a time.

    Notes
    -----
    A library's peak counter is reset where a block begins or ends. What the program reads of it, by
    ``torch.cuda.max_memory_allocated()`` for one, is the peak since then. If the program resets it itself inside a
    block, what had been the peak since the last boundary is lost to the block.

    Examples
    --------
    >>> import within as wi
    >>> with wi.track_gpu_memory("cuda:0", "Forward pass") as memory:  # doctest: +ELLIPSIS
    ...     pass  # loss = model(batch)
    [Forward pass] GPU Memory: ...
    >>> memory.peak is None or memory.peak >= memory.current
    True
    """

    __module__ = "within"

    def __init__(self, device="cuda:0", label="", *, quiet=False, stream=None):
        if not isinstance(label, str):
            raise TypeError(f"track_gpu_memory() label must be str, not {type(label).__name__}")
        self._kind, self._number = _kind_and_number(device)
        self.device = device
        self.label = label
        self.quiet = quiet
        self.stream = stream
        self.delta = self.current = self.peak = self.source = None
        self._block = None

    def __repr__(self):
        return f"<within.track_gpu_memory {str(self.device)!r} {self.label!r}>"

    def __enter__(self):
        if self._block:
            raise RuntimeError(f"{self!r} is running already: one object tracks one block at a time")
        self.delta = self.current = self.peak = self.source = None
        self._block = Block(self._number) if self._kind == "cuda" else NoBlock(self.device)
        return self

    def __exit__(self, kind, error, traceback):
        block, self._block = self._block, None
        found = block.end()
        self.delta, self.current, self.peak, self.source = found.delta, found.current, found.peak, found.source
        if not self.quiet:
            self._print(found.line(), kind)

    def _print(self, line, raised):
        stream = sys.stdout if self.stream is None else self.stream
        if stream is None:
            return
        text = f"[{self.label}] {line}\n" if self.label else f"{line}\n"
        try:
            _write(stream, text)
        except Exception:
            if raised is None:  # the body's exception is not to be hidden by one of its line
                raise


def _write(stream, text):
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a terminal that lacks a label's letters is no reason to fail
        stream.write(text.encode("ascii", "backslashreplace").decode())


class Block:
    """A block on a CUDA device, from its begin to its end."""

    def __init__(self, number):
        from . import _gpu_sources

        self.number = _gpu_sources.current_device() if number is None else number
        self.memory = gpu_memory(self.number)
        self.choose = _gpu_sources.choose
        self.pid = os.getpid()
        with _boundary:
            self.source = self.choose(self.number)
            if self.source:
                self.read()
            self.memory.enter(self.source and self.source.noted)
            if not self.source:
                _waiting.append(self)

    def end(self):
        with _boundary:
            if self in _waiting:
                _waiting.remove(self)
                self.adopt(self.choose(self.number))
            if self.source and self.pid == os.getpid():  # a child has no part in its parent's GPU
                self.read()
            self.memory.leave()
        return self.memory

    def read(self):
        """Have the source ready for the core. Blocks that wait get it, if it is new in this process."""
        self.source.note()
        for block in [*_waiting]:
            if block.number == self.number:
                _waiting.remove(block)
                block.adopt(self.source)

    def adopt(self, source):
        if source and self.memory.adopt(source.noted):
            self.source = source


class NoBlock:
    """A block on what is no CUDA device: there is nothing to find."""

    delta = current = peak = source = None

    def __init__(self, device):
        self.device = device

    def end(self):
        return self

    def line(self):
        return f"GPU Memory: not tracked: {self.device} is no CUDA device"


def _kind_and_number(device):
    """("cuda", 1) of "cuda:1", 1 or torch.device("cuda:1"); ("cuda", None) of "cuda"."""
    if isinstance(device, int) and device >= 0:
        return "cuda", int(device)
    kind, colon, number = str(device).partition(":")
    if not (kind.isalpha() and kind.islower()) or (colon and not number.isdecimal()):
        raise ValueError(f'track_gpu_memory() device must be "cuda", "cuda:N" or N, not {device!r}')
    return kind, int(number) if colon else None
