"""track_gpu_memory on the stand-in driver, against a block by hand that makes the same calls of it by ctypes."""

import ctypes
from pathlib import Path

import slices
import within

STAND_IN = Path(within.__file__).resolve().parents[2] / "tests" / "gpu" / "libcuda.so.1"
USED_CURRENT, USED_HIGH = 7, 8


class ByHand:
    """The usual block: one that nests wrongly, and prints nothing."""

    def __init__(self, cuda):
        self.cuda, self.pool, self.figure = cuda, ctypes.c_void_p(), ctypes.c_uint64()
        cuda.cuDeviceGetMemPool(ctypes.byref(self.pool), 0)

    def ask(self, attribute):
        if self.cuda.cuMemPoolGetAttribute(self.pool, attribute, ctypes.byref(self.figure)):
            raise RuntimeError("cuMemPoolGetAttribute")
        return self.figure.value

    def __enter__(self):
        self.begin = self.ask(USED_CURRENT)
        self.cuda.cuMemPoolSetAttribute(self.pool, USED_HIGH, ctypes.byref(ctypes.c_uint64(0)))
        return self

    def __exit__(self, *error):
        self.current, self.peak = self.ask(USED_CURRENT), self.ask(USED_HIGH)
        self.delta = self.current - self.begin


def main():
    name = "track_gpu_memory, against the same by hand"
    if not slices.wanted(name) or not STAND_IN.exists():
        return
    slices.pin()
    cuda, context, kept = ctypes.CDLL(str(STAND_IN)), ctypes.c_void_p(), ctypes.c_uint64()
    cuda.cuInit(0)
    cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0)
    cuda.cuCtxSetCurrent(context)
    cuda.cuMemAllocAsync(ctypes.byref(kept), ctypes.c_size_t(1 << 20), None)
    ours = slices.side("with track(quiet=True): pass", {"track": within.track_gpu_memory})
    slices.measure(name, ours, slices.side("with track(cuda): pass", {"track": ByHand, "cuda": cuda}))


if __name__ == "__main__":
    main()
