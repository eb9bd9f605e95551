#!/usr/bin/env python3
"""Runs the tests of the GPU's managers on the GPU of this machine, where the others run on a stand-in for its driver.

Without a GPU it says so, and that nothing was tested. The last line is "N passed, N failed, N skipped"; what only the
stand-in can do, such as a driver that fails, is skipped here.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import run_python
from run_tests import ROOT, count_program

PROGRAMS = "test_cuda", "test_gpu", "test_gpu_counter", "test_gpu_memory", "test_gpu_section"
# In a process of its own: a driver may hang or crash.
COUNT_GPUS = """
import ctypes
cuda, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
status = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
raise SystemExit(f"the CUDA driver answers {status}" if status else None if count.value else "the driver sees no GPU")
"""


def why_not():
    """Why there is no GPU to test on, in words; None if there is one."""
    try:
        done = subprocess.run([sys.executable, "-c", COUNT_GPUS], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "the CUDA driver does not answer"
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["the CUDA driver crashes"])[-1]


def run_program(program):
    """Run a program of cmocka, show what fails, and count its cases."""
    environment = {**os.environ, "WITHIN_TEST_GPU": "1", "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=600)
    counts = count_program({"stdout": done.stdout, "result": "OK" if done.returncode == 0 else "FAIL"})
    if counts["failed"]:
        print(done.stdout, done.stderr, sep="")
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-C", dest="build", type=Path, default=ROOT / "build", help="build folder")
    build = parser.parse_args().build.resolve()
    counts, why = Counter(), why_not()
    if why:
        print(f"skipped, since this machine has no GPU for it: {why}")
        print("nothing was tested on a GPU; `make test` runs these tests on a stand-in for the driver")
        counts["skipped"] = len(PROGRAMS)
    else:
        subprocess.run(["ninja", "-C", build, "--quiet", *(f"tests/c/{name}" for name in PROGRAMS)], check=True)
        for name in PROGRAMS:
            counts += run_program(build / "tests" / "c" / name)
        counts += run_python.run_all(build, ["-k", "real", "tests/python/test_gpu_memory.py", "tests/python/test_gpu_section.py"])
    print(run_python.in_words(counts), flush=True)
    sys.exit(counts["failed"] > 0)


if __name__ == "__main__":
    main()
