"""What the tests of the Python package share: child interpreters, records read back, references counted.

The tests run under every interpreter: tools/run_python.py puts the staged package and pytest on its path.
"""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import within

DEBUG_BUILD = hasattr(sys, "gettotalrefcount")


def pytest_report_header(config):
    return f"within: {os.path.dirname(within.__file__)}"


@pytest.fixture(scope="session")
def root():
    """The source tree."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def command():
    """The path of the command within that the package brings."""
    return Path(within.__file__).parent / "bin" / "within"


@pytest.fixture
def python(tmp_path):
    """A function python(text, *arguments, **environment) that runs a script in a child of this interpreter.

    It returns the subprocess.CompletedProcess, with text output; with fails=True the script may end by an
    error or a signal. The working folder is tmp_path.
    """

    def run(text, *arguments, fails=False, timeout=60, **environment):
        done = subprocess.run(
            [sys.executable, "-c", text, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, **{name: str(value) for name, value in environment.items()}},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert fails or done.returncode == 0, f"status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    return run


class Record(dict):
    """What `within report --json` says, and its sections by path."""

    @property
    def paths(self):
        return {section["path"]: section for section in self["sections"]}


@pytest.fixture
def read_record(command):
    """A function read_record(path) that gives the Record of a file."""

    def read(path):
        done = subprocess.run([command, "report", "--json", path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return Record(json.loads(done.stdout))

    return read


@pytest.fixture
def record(python, read_record, tmp_path):
    """A function record(text, …) that runs a script as `python` does, and gives the Record that it wrote."""

    def run(text, *arguments, **options):
        path = tmp_path / "run.within"
        python(text, *arguments, WITHIN_RECORD=path, **options)
        return read_record(path)

    return run


def _count():
    """What a leak makes grow: references in a debug build, blocks of memory in any other."""
    gc.collect()
    return sys.gettotalrefcount() if DEBUG_BUILD else sys.getallocatedblocks()


@pytest.fixture
def lost_references():
    """A function lost_references(use, uses=..., before=200, noise=0.01): how much a call of use() leaves behind.

    The unit is a reference in a debug build, and a block of memory in others; 1.0 is one lost in each
    call. Anything below `noise` is that: caches that grow once; most do so in the calls before. What is above it
    is measured again, and what leaks then too is told.
    """

    # Where malloc stands in for Python's own allocator (PYTHONMALLOC) there are no blocks to count.
    many = 2_000 if DEBUG_BUILD or not sys.getallocatedblocks() else 10_000

    def count_after(use, uses):
        counted = _count()
        for _ in range(uses):
            use()
        return (_count() - counted) / uses

    def measure(use, uses=many, before=200, noise=0.01):
        for _ in range(before):
            use()
        lost = count_after(use, uses)
        return lost if lost < noise else min(lost, count_after(use, uses))

    return measure
