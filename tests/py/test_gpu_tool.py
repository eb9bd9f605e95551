"""tools/test_gpu.py: without a GPU it says plainly that nothing was tested; with one it runs the tests on it."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def run_tool(root, build):
    """A function run_tool(folder) that runs the tool where the CUDA driver is the libcuda.so.1 of a folder."""

    def run(folder):
        command = [sys.executable, root / "tools/test_gpu.py", "-C", build]
        environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    return run


def test_without_a_driver_it_says_that_it_was_skipped(run_tool, tmp_path):
    (tmp_path / "libcuda.so.1").write_text("no library")
    done = run_tool(tmp_path)
    said, nothing, counts = done.stdout.splitlines()
    assert said.startswith("skipped, since this machine has no GPU for it: ") and "libcuda.so.1" in said
    assert nothing.startswith("nothing was tested on a GPU")
    assert counts == "0 passed, 0 failed, 5 skipped"
    assert done.returncode == 0


def test_a_driver_that_fails_is_no_gpu(run_tool, tmp_path):
    source = tmp_path / "driver.c"
    source.write_text("int cuInit(unsigned flags) { return flags ? 1 : 100; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", tmp_path / "libcuda.so.1"], check=True)
    done = run_tool(tmp_path)
    assert "no GPU for it: the CUDA driver answers 100\n" in done.stdout
    assert done.returncode == 0


def test_with_a_driver_it_runs_the_tests_on_it(run_tool, build):
    done = run_tool(build / "tests" / "gpu")
    assert done.returncode == 0, done.stdout + done.stderr
    passed, failed, skipped = (int(part.split()[0]) for part in done.stdout.splitlines()[-1].split(", "))
    assert passed > 30 and failed == 0 and skipped > 10
