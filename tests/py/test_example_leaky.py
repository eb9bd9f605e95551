"""The leaky example: the watch names each fault's section and what it leaves behind, and none of the look-alikes."""

import os
import re
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
EXPLANATIONS = {
    "unclosed-file": ["descriptors: \\+[0-9]+ /dev/null"],
    "growing-list": ["Python types: \\+[0-9,]+ float", "Python types: \\+[0-9,]+ tuple"],
    "thread-each-step": ["threads: \\+[0-9]+ python.*", "Python threads: \\+[0-9]+ Thread-N \\(wait\\)"],
    "kept-tensor": [
        "mappings: \\+[0-9.]+ MB .*",
        "allocator: \\+[0-9.]+ MB in use",
        "Python types: \\+[0-9.]+ MB in [0-9]+ bytearray",
    ],
}
INNOCENTS = ["reopened-file", "bounded-history", "pool-of-threads", "cache-of-tensors", "nothing"]


@pytest.fixture(scope="module")
def start(build, root):
    """A function that starts the example, watched, with options."""
    environment = {**os.environ, "PYTHONPATH": str(build / "site"), "WITHIN_WATCH": "1"}
    environment["WITHIN_WATCH_EXPLAIN"] = "1"
    if subprocess.run([sys.executable, "-c", "import within"], env=environment, capture_output=True).returncode:
        pytest.skip("this build has no package for this Python")

    def start_program(*options):
        command = [sys.executable, root / "examples/leaky/train.py", *options]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    return start_program


def iter_until(lines, pattern):
    """The lines before the first that matches."""
    for line in lines:
        if re.fullmatch(pattern, line):
            return
        yield line
    pytest.fail(f"no line is {pattern!r}")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_section_of_each_fault_is_named_and_what_it_leaves_behind(start, fault):
    """A list takes blocks and memory, and either may be told first."""
    section = FAULTS[fault].removeprefix("within: ").split(":", 1)[0]
    heading = f"within: {section}: more {WORDS[fault]} after call [0-9]+ than before call [0-9]+:\n"
    with start("--fault", fault, "--epochs", "40000") as program:
        said = list(iter_until(program.stderr, heading))
        lines = [program.stderr.readline().strip() for _ in EXPLANATIONS[fault]]
        program.kill()
    verdicts = [line for line in said if line.startswith(FAULTS[fault]) and f" {WORDS[fault]}" in line]
    assert len(verdicts) == 1 and all(line.startswith((f"within: {section}: ", "    ")) for line in said)
    for pattern in EXPLANATIONS[fault]:
        assert [found for found in lines if re.fullmatch(pattern, found)], (pattern, lines)


@pytest.mark.parametrize("innocent", INNOCENTS)
def test_no_look_alike_is_named(start, innocent):
    with start("--innocent", innocent, "--epochs", "700") as program:
        assert program.stderr.read() == "train.py: 700 epochs\n"


def test_wrong_options_are_refused(start):
    with start("--fault", "unclosed-file", "--innocent", "nothing") as program:
        assert "not allowed with" in program.stderr.read()
    with start("--epochs", "0") as program:
        assert "--epochs must be at least 1, not 0" in program.stderr.read()
