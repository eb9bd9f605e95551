"""Stand-ins for the parts of PyTorch, CuPy and JAX that track_gpu_memory calls, written after their documentation.

Each counts memory on devices of its own. They are for sys.modules, where the real ones would be.
"""

import types


class Allocator:
    """What is in use, the most of it, and when that was reset."""

    def __init__(self):
        self.current = self.peak = self.resets = 0

    def take(self, size):
        self.current += size
        self.peak = max(self.peak, self.current)

    def give(self, size):
        self.current -= size

    def reset_peak(self):
        self.peak = self.current
        self.resets += 1


class Torch(types.ModuleType):
    """torch.cuda: memory_stats, reset_peak_memory_stats, is_initialized, current_device."""

    def __init__(self, initialized=True):
        super().__init__("torch")
        self.devices = [Allocator(), Allocator()]
        self.initialized = initialized
        self.fails = None
        self.cuda = self
        self.current = 0

    def is_initialized(self):
        return self.initialized

    def device_count(self):
        return len(self.devices)

    def current_device(self):
        return self.current

    def memory_stats(self, device=None):
        if self.fails == "memory_stats":
            raise RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA")
        if not self.initialized:
            return {}
        allocator = self.devices[device]
        return {
            "allocated_bytes.all.current": allocator.current,
            "allocated_bytes.all.peak": allocator.peak,
            "reserved_bytes.all.current": allocator.current,
        }

    def memory_allocated(self, device=None):
        return self.memory_stats(device)["allocated_bytes.all.current"]

    def max_memory_allocated(self, device=None):
        return self.memory_stats(device)["allocated_bytes.all.peak"]

    def reset_peak_memory_stats(self, device=None):
        if self.fails == "reset_peak_memory_stats":
            raise RuntimeError("CUDA error: unspecified launch failure")
        self.devices[device].reset_peak()


class CuPy(types.ModuleType):
    """cupy.get_default_memory_pool(), cupy.cuda.Device, cupy.cuda.get_allocator."""

    def __init__(self):
        super().__init__("cupy")
        self.devices = [Allocator(), Allocator()]
        self.current = 0
        runtime = types.SimpleNamespace(getDeviceCount=lambda: len(self.devices))
        self.cuda = types.SimpleNamespace(Device=self.device, get_allocator=lambda: self.allocator, runtime=runtime)
        self.allocator = self.malloc

    def device(self, number):
        return Current(self, number)

    def get_default_memory_pool(self):
        return self

    def malloc(self, size):
        self.devices[self.current].take(size)

    def used_bytes(self):
        return self.devices[self.current].current

    def total_bytes(self):
        return self.devices[self.current].peak


class Current:
    """cupy.cuda.Device(number) as a block."""

    def __init__(self, cupy, number):
        self.cupy, self.number = cupy, number

    def __enter__(self):
        self.before, self.cupy.current = self.cupy.current, self.number

    def __exit__(self, *error):
        self.cupy.current = self.before


class JAX(types.ModuleType):
    """jax.local_devices(), whose devices have memory_stats(); and whether its backends are initialised."""

    def __init__(self):
        super().__init__("jax")
        self.initialized = True
        self.devices = [Allocator(), Allocator()]
        self.bridge = types.ModuleType("jax._src.xla_bridge")
        self.bridge.backends_are_initialized = lambda: self.initialized

    def local_devices(self):
        assert self.initialized, "this would initialise JAX"
        return [types.SimpleNamespace(platform="cpu", memory_stats=lambda: None), *map(self.device, self.devices)]

    def device(self, allocator):
        def stats():
            return {"bytes_in_use": allocator.current, "peak_bytes_in_use": allocator.peak, "bytes_limit": 1 << 36}

        return types.SimpleNamespace(platform="gpu", memory_stats=stats)
