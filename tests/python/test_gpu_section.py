"""section(name, gpu=True): its time on the GPU and its memory are in the record, on the stand-in driver."""

import importlib.util
import sys
from pathlib import Path

import pytest
from gpu_standins import Torch

import within as wi
from within import _gpu_sources

GPU = Path(wi.__file__).resolve().parents[2] / "tests" / "gpu"  # where the build has the stand-in driver

BEGIN = f"""
import ctypes, sys
import within as wi

sys.path.insert(0, {str(Path(__file__).parent)!r})
cuda = ctypes.CDLL("libcuda.so.1")
cuda.standin_launch.argtypes = cuda.standin_run.argtypes = [ctypes.c_double]
context, kept = ctypes.c_void_p(), ctypes.c_uint64()

def use_gpu():
    cuda.cuInit(0)
    cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0)
    cuda.cuCtxSetCurrent(context)

def take(size):
    cuda.cuMemAllocAsync(ctypes.byref(kept), ctypes.c_size_t(size), None)
"""


@pytest.fixture
def on_gpu(record):
    """A function on_gpu(text) that runs a script on the stand-in driver, and gives the sections of its record."""
    if not (GPU / "libcuda.so.1").exists():
        pytest.skip("the stand-in driver is not built here")
    return lambda text: record(BEGIN + text, LD_LIBRARY_PATH=GPU).paths


def test_the_time_on_the_gpu_is_in_the_record(on_gpu):
    paths = on_gpu(
        """
use_gpu()
for _ in range(4):
    with wi.section("epoch"), wi.section("step", gpu=True):
        cuda.standin_launch(2.5)
cuda.standin_run(7.5)
"""
    )
    step = paths["epoch > step"]
    assert (step["calls"], step["gpu_calls"], step["gpu_timed"]) == (4, 4, 3)
    assert step["gpu_s"] == pytest.approx(0.0075)
    assert paths["epoch"]["gpu_s"] is None


def test_its_memory_is_that_of_the_driver_or_of_pytorch(on_gpu):
    paths = on_gpu(
        """
use_gpu()
take(3 * 10**6)
with wi.section("driver", gpu=True):
    take(2 * 10**6)

from gpu_standins import Torch
torch = sys.modules["torch"] = Torch()
torch.current_stream = lambda: type("Stream", (), {"cuda_stream": 0x2})
with wi.section("torch", gpu=True):
    torch.devices[0].take(700)
    torch.devices[0].give(600)
"""
    )
    assert [paths["driver"][key] for key in ("gpu_delta_bytes", "gpu_peak_bytes")] == [2e6, 5e6]
    assert [paths["torch"][key] for key in ("gpu_delta_bytes", "gpu_peak_bytes")] == [100, 700]


def test_a_profilers_sections_are_measured_too(on_gpu):
    paths = on_gpu(
        """
use_gpu()
take(10**6)
profiler = wi.Profiler()

@profiler.section("step", gpu=True)
def step():
    cuda.standin_launch(2)
    take(3 * 10**6)

for _ in range(2):
    with profiler.section("epoch"):
        step()
        with wi.track_gpu_memory(quiet=True):
            take(10**6)
cuda.standin_run(100)
epoch, step = profiler.stats()
assert (step.path, step.calls, step.gpu) == ("epoch > step", 2, 0.004), step
assert (step.gpu_delta, step.gpu_peak, epoch.gpu_delta) == (6e6, 8e6, 2e6), (step, epoch)
assert epoch.gpu is None
assert profiler.to_dict()["epoch > step"]["gpu_delta"] == 6e6
"""
    )
    assert paths["Profiler 1 > epoch > step"]["gpu_timed"] == 2


def test_a_profiler_that_is_reset_forgets_the_gpu(on_gpu):
    on_gpu(
        """
use_gpu()
profiler = wi.Profiler()
for _ in range(2):
    with profiler.section("step", gpu=True):
        cuda.standin_launch(2)
    cuda.standin_run(2)
    assert [line.gpu for line in profiler.stats()] == [0.002]
    profiler.reset()
    assert profiler.stats() == []
"""
    )


def test_what_is_inside_of_a_generators_section_is_not_what_runs_while_it_waits(on_gpu):
    paths = on_gpu(
        """
use_gpu()

def batches():
    with wi.section("batches", gpu=True), wi.section("read"):
        yield 1

for _ in batches():
    with wi.section("step"):
        pass
"""
    )
    assert sorted(paths) == ["batches", "batches > read", "step"]


def test_functions_are_decorated(on_gpu):
    paths = on_gpu(
        """
use_gpu()

@wi.section("step", gpu=True)
def step(depth):
    cuda.standin_launch(1)
    return step(depth - 1) if depth else 7

assert step(1) == 7
cuda.standin_run(10)
"""
    )
    assert paths["step"]["gpu_timed"] == paths["step > step"]["gpu_timed"] == 1
    assert paths["step"]["gpu_s"] == pytest.approx(0.002)


def test_while_a_graph_is_captured_nothing_is_measured(on_gpu):
    paths = on_gpu(
        """
use_gpu()
cuda.standin_capture(1)
with wi.section("captured", gpu=True):
    pass
assert cuda.standin_disturbances() == 0
cuda.standin_capture(0)
"""
    )
    assert (paths["captured"]["gpu_calls"], paths["captured"]["gpu_captured"]) == (1, 1)


def test_a_section_that_is_never_ended_gives_its_events_back(on_gpu):
    paths = on_gpu(
        """
def steps():
    with wi.section("steps", gpu=True):
        yield

use_gpu()
for _ in range(100):
    next(steps())
assert cuda.standin_calls(b"cuEventCreate") <= 4
"""
    )
    assert paths["steps"]["calls"] == 100


def test_without_a_gpu_it_is_a_section(record):
    paths = record(
        """
import within as wi
with wi.section("a", gpu=True) as a, wi.section("b"):
    assert isinstance(a, wi.section) and a.name == "a"
assert a.elapsed > 0
"""
    ).paths
    assert list(paths) == ["a", "a > b"]
    assert "gpu_s" not in paths["a"]


def test_without_a_gpu_it_says_so_once(python):
    done = python(
        """
import within as wi
profiler = wi.Profiler()
for _ in range(3):
    with profiler.section("a", gpu=True), wi.section("b", gpu=True):
        pass
assert profiler.stats()[0].calls == 3 and profiler.stats()[0].gpu is None
profiler.report("all")
"""
    )
    line = "within: GPU sections are not tracked on the GPU: the process has no CUDA driver loaded\n"
    assert done.stderr == line
    assert "gpu" not in done.stdout


def test_exceptions_pass():
    with pytest.raises(ImportError), wi.section("a", gpu=True):
        raise ImportError


def test_one_object_is_one_block_at_a_time():
    section = wi.section("a", gpu=True)
    with section:
        with pytest.raises(RuntimeError, match="is open already"):
            section.__enter__()
    with pytest.raises(RuntimeError, match="is not open"):
        section.__exit__(None, None, None)
    with section:
        pass


def test_blocks_leak_nothing(lost_references):
    def use():
        with wi.section("a", gpu=True):
            pass

    assert lost_references(use, uses=5_000) < 0.01


def test_gpu_is_given_by_its_name_to_section_itself():
    assert type(wi.section("a", gpu=False)) is wi.section
    with pytest.raises(TypeError):
        wi.section("a", True)
    with pytest.raises(TypeError, match="name must be str"):
        wi.section(1, gpu=True)
    profiler = wi.Profiler()
    assert type(profiler.section("a", gpu=False)) is type(profiler.section(name="a")) is wi.section
    assert isinstance(profiler.section(gpu=True, name="a"), wi.section)
    with pytest.raises(TypeError, match="name must be str"):
        profiler.section(1, gpu=True)
    for wrong in [("a", True), ()]:
        with pytest.raises(TypeError):
            profiler.section(*wrong)
    with pytest.raises(TypeError):
        profiler.section("a", cpu=True)
    derived = type("derived", (wi.section,), {})
    with pytest.raises(TypeError, match="gpu=True is not for derived"):
        derived("a", gpu=True)


def test_the_stream_is_the_librarys_current_one(monkeypatch):
    torch = Torch()
    torch.current_stream = lambda: type("Stream", (), {"cuda_stream": 7})
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert _gpu_sources.current_stream() == 7
    torch.initialized = False
    assert _gpu_sources.current_stream() == 0


def test_the_real_pytorch_is_timed_where_there_is_one(record):
    if not importlib.util.find_spec("torch"):
        pytest.skip("torch is not installed")
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch sees no GPU")
    paths = record(
        """
import torch
import within as wi
x = torch.ones(4096, 4096, device="cuda")
torch.cuda.synchronize()
with wi.section("product", gpu=True):
    y = x @ x
torch.cuda.synchronize()
"""
    ).paths
    assert paths["product"]["gpu_timed"] == 1 and 0 < paths["product"]["gpu_s"] < 1
    assert paths["product"]["gpu_delta_bytes"] >= 4096**2 * 4
