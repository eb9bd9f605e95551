"""section(name, gpu=True): a section whose work on the GPU is measured too."""

from . import _gpu_sources
from ._gpu_memory import Block
from ._within import gpu_timing, section


class gpu_section(section):
    """What ``section(name, gpu=True)`` makes; entering it is not as cheap as entering a section."""

    __module__ = "within"
    __slots__ = ("_block", "_timing")

    def __enter__(self):
        if getattr(self, "_timing", None):
            return super().__enter__()  # it is open already, and says so
        timing = gpu_timing(_gpu_sources.current_stream())
        tracks = timing.device >= 0 and not timing.is_captured
        self._block = Block(timing.device) if tracks else None
        self._timing = timing
        super().__enter__()
        if tracks:
            self._block.memory.count_here()
        return self

    def __exit__(self, kind, error, traceback):
        timing, self._timing = getattr(self, "_timing", None), None
        if timing:
            timing.end(self)
        super().__exit__(kind, error, traceback)
        if timing and self._block:
            self._block.end()
        self._block = None
