"""The leaky example: the watch names each fault's section, and none of the look-alikes."""

import os
import subprocess
import sys

import pytest

FAULTS = {
    "unclosed-file": "within: epoch > load: +1.0 descriptors a call ",
    "growing-list": "within: epoch > log: growing: +",
    "thread-each-step": "within: epoch > step: +",
    "kept-tensor": "within: epoch > step: growing: +",
}
WORDS = {
    "unclosed-file": "descriptors",
    "growing-list": "Python blocks",
    "thread-each-step": "threads",
    "kept-tensor": "resident memory",
}
INNOCENTS = ["reopened-file", "bounded-history", "pool-of-threads", "cache-of-tensors", "nothing"]


@pytest.fixture(scope="module")
def start(build, root):
    """A function that starts the example, watched, with options."""
    environment = {**os.environ, "PYTHONPATH": str(build / "site"), "WITHIN_WATCH": "1"}
    if subprocess.run([sys.executable, "-c", "import within"], env=environment, capture_output=True).returncode:
        pytest.skip("this build has no package for this Python")

    def start_program(*options):
        command = [sys.executable, root / "examples/leaky/train.py", *options]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    return start_program


@pytest.mark.parametrize("fault", FAULTS)
def test_the_section_of_each_fault_is_named(start, fault):
    with start("--fault", fault, "--epochs", "40000") as program:
        line = program.stderr.readline()
        program.kill()
    assert line.startswith(FAULTS[fault]) and f" {WORDS[fault]}" in line


@pytest.mark.parametrize("innocent", INNOCENTS)
def test_no_look_alike_is_named(start, innocent):
    with start("--innocent", innocent, "--epochs", "1000") as program:
        assert program.stderr.read() == "train.py: 1000 epochs\n"


def test_wrong_options_are_refused(start):
    with start("--fault", "unclosed-file", "--innocent", "nothing") as program:
        assert "not allowed with" in program.stderr.read()
    with start("--epochs", "0") as program:
        assert "--epochs must be at least 1, not 0" in program.stderr.read()
