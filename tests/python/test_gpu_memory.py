"""track_gpu_memory: figures of nested and overlapping blocks by every source, and everything that can be missing."""

import importlib.util
import io
import os
import random
import sys
import threading
import weakref
from pathlib import Path

import pytest
from gpu_standins import CuPy, JAX, Torch

import within as wi
from within import _gpu_memory, _gpu_sources

GPU = Path(wi.__file__).resolve().parents[2] / "tests" / "gpu"  # where the build has the stand-in driver
MB = 10**6


@pytest.fixture
def install(monkeypatch):
    """A function install(name, module): the module is imported, for the test."""
    monkeypatch.setattr(_gpu_sources, "_known", {})
    monkeypatch.setattr(_gpu_sources, "_in_use", {})
    for name in ("torch", "cupy", "jax", "jax._src.xla_bridge"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return lambda name, module: monkeypatch.setitem(sys.modules, name, module) or module


@pytest.fixture
def torch(install):
    return install("torch", Torch())


@pytest.fixture
def cupy(install, monkeypatch):
    """CuPy in a process that uses the GPU."""
    monkeypatch.setattr(_gpu_sources, "gpu_memory", InUse)
    return install("cupy", CuPy())


@pytest.fixture
def jax(install):
    module = install("jax", JAX())
    install("jax._src.xla_bridge", module.bridge)
    return module


class InUse:
    @staticmethod
    def is_in_use(device):
        return device == 0


def track(device="cuda:0", label="", **options):
    return wi.track_gpu_memory(device, label, quiet=True, **options)


def figures(block):
    return block.delta, block.current, block.peak


# ---- the line ----


def test_the_line_is_as_promised(torch, capsys):
    torch.devices[0].take(450_200_000)
    with wi.track_gpu_memory("cuda:0", "Forward pass") as block:
        assert figures(block) == (None, None, None) and block.source is None
        torch.devices[0].take(162_100_000)
        torch.devices[0].give(33_600_000)
    line = "[Forward pass] GPU Memory: delta=+128.5MB, current=578.7MB, peak=612.3MB\n"
    assert capsys.readouterr() == (line, "")
    assert figures(block) == (128_500_000, 578_700_000, 612_300_000)
    assert block.source == "PyTorch's allocator"
    assert all(isinstance(figure, int) for figure in figures(block))


def test_without_a_label_there_is_no_prefix(torch):
    stream = io.StringIO()
    torch.devices[1].take(MB)
    with wi.track_gpu_memory("cuda:1", stream=stream):
        torch.devices[1].give(MB)
    assert stream.getvalue() == "GPU Memory: delta=-1.0MB, current=0.0MB, peak=1.0MB\n"


def test_quiet_prints_nothing(torch, capsys):
    with wi.track_gpu_memory(quiet=True):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_label_that_a_terminal_lacks_is_escaped(torch):
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, "ascii", write_through=True)
    with wi.track_gpu_memory(0, "θ", stream=terminal):
        pass
    assert raw.getvalue().startswith(b"[\\u03b8] GPU Memory: ")


def test_a_line_that_cannot_be_printed_does_not_hide_the_bodys_exception(torch):
    with pytest.raises(ZeroDivisionError), wi.track_gpu_memory(stream=object()):
        1 / 0
    with pytest.raises(AttributeError), wi.track_gpu_memory(stream=object()):
        pass


# ---- figures ----


def test_an_inner_block_does_not_hide_the_outers_peak(torch):
    device = torch.devices[0]
    device.take(10)
    with track() as outer:
        device.take(80)
        device.give(80)
        with track() as inner:
            device.take(30)
        with track() as empty:
            pass
    assert figures(outer) == (30, 40, 90)
    assert figures(inner) == (30, 40, 40)
    assert figures(empty) == (0, 40, 40)


def test_ten_thousand_overlapping_blocks_are_as_a_replay_has_them(torch):
    rng = random.Random(16266)
    device, in_use, open_blocks, ended = torch.devices[0], [0], [], 0
    while ended < 10_000:
        what = rng.random()
        if what < 0.5:
            device.take(rng.randrange(1000)) if rng.random() < 0.5 else device.give(rng.randrange(device.current + 1))
            in_use.append(device.current)
        elif what < 0.75 and len(open_blocks) < 20:
            open_blocks.append((track().__enter__(), len(in_use) - 1))
        elif open_blocks:
            block, begin = open_blocks.pop(rng.randrange(len(open_blocks)))
            block.__exit__(None, None, None)
            during = in_use[begin:]
            assert figures(block) == (during[-1] - during[0], during[-1], max(during))
            ended += 1
    while open_blocks:
        open_blocks.pop()[0].__exit__(None, None, None)


def test_devices_do_not_mix(torch):
    with track("cuda:0") as first, track("cuda:1") as second:
        torch.devices[0].take(5)
        with track("cuda:1") as third:
            torch.devices[1].take(7)
    assert (first.peak, second.peak, third.peak) == (5, 7, 7)
    torch.current = 1
    with track("cuda") as current:
        torch.devices[1].take(1)
    assert current.peak == 8


def test_threads_track_at_the_same_time(torch):
    def work():
        for _ in range(200):
            with track() as block:
                pass
            peaks.append(block.peak)

    peaks = []
    with track() as outer:
        torch.devices[0].take(100)
        torch.devices[0].give(60)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outer.peak == 100 and set(peaks[1:]) <= {40, 100} and len(peaks) == 800


def test_what_the_program_resets_itself_is_lost_and_nothing_else(torch):
    device = torch.devices[0]
    with track() as outer:
        device.take(50)
        device.give(50)
        with track():
            device.take(90)
            device.give(80)
            torch.reset_peak_memory_stats(0)
            device.take(10)
    assert figures(outer) == (20, 20, 50)


def test_a_generator_that_is_never_finished_is_off_the_list(torch):
    def steps():
        with track():
            yield

    generator = steps()
    next(generator)
    del generator
    with track() as block:
        torch.devices[0].take(3)
    assert block.peak == 3


# ---- devices ----


@pytest.mark.parametrize("device", ["cpu", "mps", "xpu:0"])
def test_what_is_no_cuda_device_is_not_tracked(device, torch, capsys):
    with wi.track_gpu_memory(device, "a") as block:
        pass
    assert capsys.readouterr().out == f"[a] GPU Memory: not tracked: {device} is no CUDA device\n"
    assert figures(block) == (None, None, None) and block.source is None


def test_a_device_of_torch_is_a_device(torch):
    class Device:
        def __str__(self):
            return "cuda:1"

    torch.devices[1].take(4)
    with track(Device()) as block:
        pass
    assert block.current == 4


@pytest.mark.parametrize("device", ["", "cuda:", "cuda:-1", "cuda:x", "0", -1, "cuda 0", None, 1.5])
def test_what_names_no_device_is_refused(device):
    with pytest.raises(ValueError, match='device must be "cuda", "cuda:N" or N'):
        wi.track_gpu_memory(device)


def test_the_label_must_be_text():
    with pytest.raises(TypeError, match="label must be str, not int"):
        wi.track_gpu_memory(0, 1)


# ---- what else can go wrong ----


def test_exceptions_of_the_body_pass(torch):
    with pytest.raises(ImportError, match="no such thing"), track() as block:
        torch.devices[0].take(1)
        raise ImportError("no such thing")
    assert block.peak == 1


def test_one_object_tracks_one_block_at_a_time(torch):
    block = track(0, "a")
    with block:
        with pytest.raises(RuntimeError, match="is running already"):
            block.__enter__()
        torch.devices[0].take(5)
    assert figures(block) == (5, 5, 5)
    with block:
        pass
    assert figures(block) == (0, 5, 5)


def test_a_library_that_fails_at_the_begin_stops_nothing(torch, capsys):
    torch.fails = "memory_stats"
    with wi.track_gpu_memory(0, "a") as block:
        torch.fails = None
    line = "[a] GPU Memory: not tracked: RuntimeError: CUDA error: unspecified launch failure\n"
    assert capsys.readouterr().out == line
    assert figures(block) == (None, None, None) and block.source is None


def test_a_library_that_fails_at_the_end_leaves_no_figures(torch):
    with track() as outer:
        torch.devices[0].take(9)
        torch.devices[0].give(9)
        with track() as inner:
            torch.fails = "memory_stats"
        torch.fails = None
    assert figures(inner) == (None, None, None)
    assert figures(outer) == (0, 0, 9)


def test_a_peak_that_cannot_be_reset_is_not_taken_for_the_blocks(torch, capsys):
    torch.devices[0].take(9)
    torch.devices[0].give(9)
    torch.fails = "reset_peak_memory_stats"
    with wi.track_gpu_memory():
        pass
    assert "not tracked: RuntimeError: CUDA error" in capsys.readouterr().out


def test_blocks_are_forgotten(torch):
    block = track()
    with block:
        pass
    gone = weakref.ref(block)
    del block
    assert gone() is None and _gpu_memory._waiting == []


# ---- sources ----


def test_a_library_that_is_not_initialised_is_left_alone(install):
    torch, jax = install("torch", Torch(initialized=False)), install("jax", JAX())
    install("jax._src.xla_bridge", jax.bridge)
    jax.initialized = False
    with track() as block:
        pass
    assert figures(block) == (None, None, None)
    assert torch.devices[0].resets == 0


def test_a_library_that_is_first_used_inside_the_block_began_with_nothing(torch):
    torch.initialized = False
    with track() as outer:
        torch.initialized = True
        torch.devices[0].take(80)
        torch.devices[0].give(70)
        with track() as inner:
            torch.devices[0].take(5)
    assert figures(outer) == (15, 15, 80)
    assert figures(inner) == (5, 15, 15)
    torch.initialized = False
    with track() as alone:
        torch.initialized = True
    assert alone.current == alone.delta == 15


def test_the_pool_of_cupy_has_no_peak(cupy, capsys):
    cupy.malloc(5 * MB)
    with wi.track_gpu_memory(0, "a") as block:
        cupy.malloc(2 * MB)
    assert figures(block) == (2 * MB, 7 * MB, None) and block.source == "CuPy's pool"
    assert capsys.readouterr().out == "[a] GPU Memory: delta=+2.0MB, current=7.0MB, peak=unknown\n"


def test_cupy_is_left_alone_where_it_has_no_context_or_no_part(cupy):
    cupy.devices[1].take(5)
    with track("cuda:1") as block:
        pass
    assert block.source is None
    cupy.allocator = print
    with track("cuda:0") as block:
        pass
    assert block.source is None


def test_the_peak_of_jax_counts_if_it_is_new(jax):
    device = jax.devices[1]
    device.take(100)
    device.give(90)
    with track("cuda:1") as block:
        device.take(50)
        device.give(50)
    assert figures(block) == (0, 10, None) and block.source == "JAX's statistics"
    with track("cuda:1") as block:
        device.take(200)
        device.give(200)
    assert block.peak == 210


def test_a_jax_that_does_not_say_whether_it_is_initialised_is_not_asked(install):
    install("jax", JAX()).initialized = False
    with track() as block:
        pass
    assert block.source is None


def test_what_the_watch_counts_is_that_of_the_library_in_use(cupy, install):
    cupy.devices[0].take(7)
    assert _gpu_sources.in_use() == 7
    jax = install("jax", JAX())
    install("jax._src.xla_bridge", jax.bridge)
    jax.devices[1].take(20)
    assert _gpu_sources.in_use() == 27
    jax.initialized = False
    cupy.allocator = None
    assert _gpu_sources.in_use() is None


def test_a_library_in_use_goes_before_one_that_is_not(torch, jax):
    jax.devices[0].take(1)
    with track() as block:
        pass
    assert block.source == "JAX's statistics"
    torch.devices[0].take(1)
    with track() as block:
        pass
    assert block.source == "PyTorch's allocator"


def test_the_real_pytorch_is_read_where_there_is_one():
    if not importlib.util.find_spec("torch"):
        pytest.skip("torch is not installed")
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch sees no GPU")
    kept = torch.ones(2**20, device="cuda:0")
    with track() as outer:
        temporary = torch.ones(2**21, device="cuda:0")
        del temporary
        with track() as inner:
            kept += 1
    assert outer.peak - outer.current >= 2**23 > inner.peak - inner.current


# ---- processes ----


def test_a_child_forked_inside_the_block_leaves_the_gpu_alone(torch):
    with track() as block:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                torch.fails = "memory_stats"
                block.__exit__(None, None, None)
                torch.fails = None
                with track() as own:
                    pass
                status = not (block.peak is None and own.peak == 0)
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        torch.devices[0].take(1)
    assert block.peak == 1


def test_without_a_gpu_the_block_runs(python):
    done = python("import within as wi\nwith wi.track_gpu_memory(0, 'a') as block: print('ran')\nprint(block.peak)")
    assert done.stdout == "ran\n[a] GPU Memory: not tracked: the process has no CUDA driver loaded\nNone\n"


def test_the_driver_is_read_where_no_library_is(python):
    if not (GPU / "libcuda.so.1").exists():
        pytest.skip("the stand-in driver is not built here")
    done = python(
        """
import ctypes
import within as wi

cuda = ctypes.CDLL("libcuda.so.1")
context, kept = ctypes.c_void_p(), ctypes.c_uint64()
with wi.track_gpu_memory(0, "before"):
    pass
assert cuda.standin_calls(b"cuInit") == 0
assert cuda.cuInit(0) == cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == cuda.cuCtxSetCurrent(context) == 0
with wi.track_gpu_memory(0, "whole") as block:
    pass
print(block.source, block.peak)
cuda.cuMemAllocAsync(ctypes.byref(kept), ctypes.c_size_t(2 * 10**6), None)
with wi.track_gpu_memory(0, "pool") as block:
    cuda.cuMemFreeAsync(kept, None)
print(block.source)
""",
        LD_LIBRARY_PATH=GPU,
    )
    assert done.stdout.splitlines() == [
        "[before] GPU Memory: not tracked: the process has not initialised CUDA",
        "[whole] GPU Memory: delta=+0.0MB, current=0.0MB, peak=unknown (device-wide)",
        "cuMemGetInfo None",
        "[pool] GPU Memory: delta=-2.0MB, current=0.0MB, peak=2.0MB",
        "CUDA memory pool",
    ]


def test_blocks_leak_nothing(torch, lost_references):
    def use():
        with track(0, "a"):
            pass

    assert lost_references(use, uses=5_000) < 0.01
