"""Libraries in Python that know what is in use of a GPU's memory, if the program has imported and initialised them."""

import sys

from ._within import gpu_memory, gpu_source

_known = {}
_in_use = {}  # by device: the source that in_use() reads


def choose(device):
    """Return the source that the program uses on a device: the first that has memory there, else the first; or None."""
    ready = _ready(device)
    return next((source for source in ready if _is_true(source.is_used, True)), ready[0] if ready else None)


def in_use():
    """Return the bytes in use on all GPUs by what the program uses them with; None if that is nothing in Python."""
    levels = {}
    for device in range(max((source.count() for source in _ready(0)), default=0)):
        source = _in_use.get(device) or choose(device)
        if source:
            levels[device] = source.read()[0]
            if levels[device]:
                _in_use[device] = source  # from here on it is this one that is counted
    return sum(levels.values()) if levels else None


def current_device():
    """Return the number of PyTorch's current device; 0 if the program does not use it."""
    torch = sys.modules.get("torch")
    return torch.cuda.current_device() if torch and _is_true(torch.cuda.is_initialized, False) else 0


def current_stream():
    """Return the handle of the stream that this thread's work goes to by PyTorch or CuPy; 0 for the default stream."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch and _is_true(torch.cuda.is_initialized, False):
        return torch.cuda.current_stream().cuda_stream
    if cupy and gpu_memory.is_in_use(0):
        return cupy.cuda.get_current_stream().ptr
    return 0


def _ready(device):
    imported = [_source(kind, device) for kind in (_PyTorch, _CuPy, _JAX) if kind.module in sys.modules]
    return [source for source in imported if _is_true(source.is_ready, False)]


def _source(kind, device):
    return _known.get((kind, device)) or _known.setdefault((kind, device), kind(device))


def _is_true(question, otherwise):
    """What a library answers; a failure is said where its figures are read."""
    try:
        return question()
    except Exception:
        return otherwise


class _Source:
    can_reset = False

    def __init__(self, device):
        self.device = device
        self.noted = gpu_source(self.name, self.can_reset)

    def note(self):
        """Read it and let its peak begin anew; the core shares out what was noted."""
        current, peak, not_read, not_reset = 0, None, None, None
        try:
            current, peak = self.read()
        except Exception as error:
            not_read = _words(error)
        if self.can_reset and not not_read:
            try:
                self.reset()
            except Exception as error:
                not_reset = _words(error)
        self.noted.note(current, peak, not_read, not_reset)


def _words(error):
    return f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace").decode().partition("\n")[0]


class _PyTorch(_Source):
    """docs.pytorch.org/docs/stable/generated/torch.cuda.memory.memory_stats.html"""

    module = "torch"
    name = "PyTorch's allocator"
    can_reset = True

    def count(self):
        return sys.modules["torch"].cuda.device_count()

    def is_ready(self):
        return sys.modules["torch"].cuda.is_initialized()

    def is_used(self):
        return sys.modules["torch"].cuda.memory_stats(self.device).get("reserved_bytes.all.current", 0) > 0

    def read(self):
        stats = sys.modules["torch"].cuda.memory_stats(self.device)
        return stats.get("allocated_bytes.all.current", 0), stats.get("allocated_bytes.all.peak", 0)

    def reset(self):
        sys.modules["torch"].cuda.reset_peak_memory_stats(self.device)


class _CuPy(_Source):
    """docs.cupy.dev/en/stable/reference/generated/cupy.cuda.MemoryPool.html"""

    module = "cupy"
    name = "CuPy's pool"

    def count(self):
        return sys.modules["cupy"].cuda.runtime.getDeviceCount()

    def is_ready(self):
        # To ask the pool is to use the device: only where the process has a context already. A program that has
        # given CuPy another allocator does not use the pool.
        cupy = sys.modules["cupy"]
        return gpu_memory.is_in_use(self.device) and cupy.cuda.get_allocator() == cupy.get_default_memory_pool().malloc

    def is_used(self):
        return self._ask("total_bytes") > 0

    def read(self):
        return self._ask("used_bytes"), None

    def _ask(self, what):
        cupy = sys.modules["cupy"]
        with cupy.cuda.Device(self.device):
            return getattr(cupy.get_default_memory_pool(), what)()


class _JAX(_Source):
    """docs.jax.dev/en/latest/_autosummary/jax.Device.html"""

    module = "jax"
    name = "JAX's statistics"

    def count(self):
        return len(self._gpus())

    def is_ready(self):
        # jax.local_devices() would initialise it, which takes most of the GPU's memory.
        backends = sys.modules["jax._src.xla_bridge"]
        return backends.backends_are_initialized() and self._stats() is not None

    def is_used(self):
        return True

    def read(self):
        stats = self._stats()
        return stats["bytes_in_use"], stats.get("peak_bytes_in_use")

    def _gpus(self):
        return [device for device in sys.modules["jax"].local_devices() if device.platform in ("gpu", "cuda", "rocm")]

    def _stats(self):
        gpus = self._gpus()
        return gpus[self.device].memory_stats() if self.device < len(gpus) else None
