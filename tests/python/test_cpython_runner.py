"""The runner of CPython's own tests gives them our contextlib, nobody else, and counts what becomes of each."""

import contextlib
import importlib.util
import subprocess
import sys
import types
from pathlib import Path
from xml.etree import ElementTree

import pytest

import within.contextlib

FOLDER = Path(__file__).parent / "cpython"

with_tests = pytest.mark.skipif(
    not (importlib.util.find_spec("test") and importlib.util.find_spec("test.test_contextlib")),
    reason="this Python has no test package",
)


@pytest.fixture
def runner():
    """The module run.py; the test modules that it loads are forgotten."""
    spec = importlib.util.spec_from_file_location("cpython_run", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in module.MODULES:
        sys.modules.pop(f"test.{name}", None)


@with_tests
def test_every_name_that_cpython_tests_is_ours(runner):
    tests = runner.load("test_contextlib", within.contextlib)
    for name in within.contextlib.__all__:
        assert getattr(tests, name) is getattr(within.contextlib, name)


@with_tests
@pytest.mark.parametrize(
    ("module", "name"), [("test_contextlib_async", "asynccontextmanager"), ("test_with", "_GeneratorContextManager")]
)
def test_so_are_the_names_of_the_other_modules(runner, module, name):
    tests = runner.load(module, within.contextlib)
    assert getattr(tests, name) is getattr(within.contextlib, name)


@with_tests
def test_what_one_test_module_takes_from_another_is_ours(runner):
    tests = runner.load("test_contextlib_async", within.contextlib)
    shared = sys.modules[tests.TestBaseExitStack.__module__]
    assert tests.TestBaseExitStack is shared.TestBaseExitStack
    assert shared.nullcontext is within.contextlib.nullcontext


@with_tests
def test_nobody_else_sees_it(runner):
    tests = runner.load("test_contextlib", within.contextlib)
    assert sys.modules["contextlib"] is contextlib
    assert tests.support.contextlib is contextlib
    assert tests.tempfile.__builtins__["__import__"]("contextlib") is contextlib


@with_tests
def test_code_that_the_tests_run_with_exec_sees_ours(runner):
    fake = types.ModuleType("contextlib")
    tests = types.FunctionType(compile("exec('import contextlib', found)", "", "exec"), {
        "__builtins__": runner.replacing(fake), "found": (found := {}),
    })
    tests()
    assert found["contextlib"] is fake


@with_tests
def test_a_broken_contextlib_fails(runner):
    class suppress(contextlib.suppress):
        def __exit__(self, *error):
            return False

    broken = types.ModuleType("broken")
    vars(broken).update({**vars(within.contextlib), "suppress": suppress})
    outcomes = runner.run(["test_contextlib.TestSuppress"], broken)
    failed = [name for name, outcome in outcomes.items() if outcome and outcome[0] == "failure"]
    assert "test.test_contextlib.TestSuppress.test_exact_exception" in failed
    assert "test.test_contextlib.TestSuppress.test_no_exception" not in failed


@with_tests
def test_a_test_in_the_table_is_skipped_with_its_reason(runner, monkeypatch):
    monkeypatch.setitem(runner.SKIPPED, "test_contextlib.TestSuppress.test_exact_exception", "frames of its own")
    outcomes = runner.run(["test_contextlib.TestSuppress.test_exact_exception"], within.contextlib)
    ((_, outcome),) = outcomes.items()
    assert outcome == ("skipped", "frames of its own")


def test_every_name_in_the_table_says_why(runner):
    for name, reason in runner.SKIPPED.items():
        module, owner, test = name.split(".")
        assert module in runner.MODULES and owner and test.startswith("test_")
        assert len(reason.split()) > 3


def test_the_counts_and_the_file_say_the_same(tmp_path):
    report = tmp_path / "junit.xml"
    done = subprocess.run(
        [sys.executable, FOLDER / "run.py", "--junit-xml", report, "test_with"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    skipped = [case for case in cases if case.find("skipped") is not None]
    counts = f"{len(cases) - len(skipped)} passed, 0 failed"
    assert done.stdout.splitlines()[-1] == counts + (f", {len(skipped)} skipped" if skipped else "")
