"""A signal between acquiring and registering leaks nothing from our ExitStack; it does from the standard one."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("interrupted_exit_stack.py")


def test_an_interrupted_stack_leaks_no_lock():
    run = subprocess.run([sys.executable, SCRIPT, "0.5"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    standard, ours = (line.split() for line in run.stdout.splitlines())
    assert ours[0] == "within.contextlib" and int(ours[1]) > 20 and int(ours[2]) == 0
    if sys.version_info < (3, 14) and int(standard[2]) == 0:
        pytest.fail("the standard ExitStack leaked nothing: this test does not show what it should")
