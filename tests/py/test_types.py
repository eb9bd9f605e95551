"""The type stubs: an example that uses every name passes mypy --strict, wrong uses do not, and nothing is missing."""

import os
import re
import subprocess
import sys

import pytest

WRONG = """
import within as wi
import within.contextlib as contextlib

wi.section(3)
wi.section()
wi.section("epoch").elapsed = 1.0
wi.Timer(stream="out.txt")
wi.Profiler().section(3)
wi.Profiler().stats()[0].paths
wi.Profiler().report(["p95"])
for item in wi.Profiler().iterate("batch", 3):
    pass


@wi.section("load")
def load(count: int) -> str:
    return str(count)


load("three")


@contextlib.contextmanager
def manager() -> int:
    return 3
"""


@pytest.fixture(scope="module")
def mypy(root, build, tmp_path_factory):
    """A function that runs mypy, or a module of it, on the package's stubs in the source tree."""
    cache = tmp_path_factory.mktemp("mypy")
    for python in build / "venv/bin/python", sys.executable:
        if subprocess.run([python, "-m", "mypy", "--version"], capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("there is no mypy; type: tools/venv.sh mypy")

    def run(*arguments, module="mypy", **variables):
        options = [f"--cache-dir={cache}"] if module == "mypy" else []
        environment = {**os.environ, "MYPYPATH": str(root / "python"), **variables}
        command = [python, "-m", module, *options, *arguments]
        return subprocess.run(command, env=environment, cwd=cache, capture_output=True, text=True, timeout=120)

    run.python = python
    return run


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.13"])
def test_the_example_passes_strictly(mypy, root, version):
    done = mypy("--strict", f"--python-version={version}", root / "tests/python/typed_example.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_wrong_use_is_found(mypy, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG)
    done = mypy("--strict", wrong)
    found = {int(line) for line in re.findall(r"wrong\.py:(\d+): error", done.stdout)}
    lines = WRONG.splitlines()
    expected = {number for number, line in enumerate(lines, 1) if re.match(r"wi\.|for |load\(|@contextlib", line)}
    assert found == expected, done.stdout


def test_the_stubs_are_those_of_the_package(mypy, build, tmp_path):
    """mypy's stubtest compares names and signatures with the package at run time."""
    site = {"PYTHONPATH": str(build / "site"), "MYPYPATH": str(build / "site")}
    can_import = [mypy.python, "-c", "import within"]
    if subprocess.run(can_import, env={**os.environ, **site}, capture_output=True).returncode:
        pytest.skip(f"{build}/site has no extension module for {mypy.python}")
    ini = tmp_path / "mypy.ini"  # what has no stubs is not looked into
    ini.write_text("[mypy]\n[mypy-within.*]\nignore_errors = True\n")
    options = ["--concise", "--ignore-disjoint-bases"]
    done = mypy("within", *options, f"--mypy-config-file={ini}", module="mypy.stubtest", **site)
    assert done.returncode == 0, done.stdout + done.stderr
