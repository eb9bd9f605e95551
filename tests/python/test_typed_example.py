"""The example for type checkers runs, and uses every public name."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import within
import within.contextlib

EXAMPLE = Path(__file__).with_name("typed_example.py")


def public(names):
    return [name for name in names if not name.startswith("_")]


def is_module(name):
    return inspect.ismodule(getattr(within, name))


def test_the_example_runs():
    subprocess.run([sys.executable, EXAMPLE], check=True, timeout=60)


def test_the_example_uses_every_public_name():
    names = [name for name in public(dir(within)) if not is_module(name)] + public(within.contextlib.__all__)
    for kind in within.section, within.Timer, within.Profiler, within.SectionStats:
        names += public(vars(kind))
    words = set(re.findall(r"\w+", EXAMPLE.read_text()))
    assert sorted(set(names) - words - {"count", "index"}) == []  # those two every tuple has
