"""The type stubs: an example that uses every name passes mypy --strict, wrong uses do not, and nothing is missing."""

import os
import re
import subprocess
import sys

import pytest

WRONG = """
import sqlite3
import within as wi
import within.contextlib as contextlib

wi.section(3)
wi.section()
wi.section("epoch").elapsed = 1.0
wi.Timer(stream="out.txt")
wi.csv_log("ber.csv", [("snr", list)])
wi.csv_log("ber.csv", "snr").row(b"1")
wi.csv_log("ber.csv", "snr").row(1, ber=2)
wi.Profiler().section(3)
wi.Profiler().stats()[0].paths
wi.Profiler().report(["p95"])
wi.atomic_file("out", "r")
wi.atomic_file("out", "wb", encoding="utf-8")
wi.atomic_path("out", "w")
wi.h5_file("run.h5", "x")
wi.h5_recover("run.h5")
wi.redirect_output("log", True)
wi.redirect_output(3.5)
wi.environment(OMP_NUM_THREADS=4)
wi.workdir(3)
wi.threads("2")
wi.run(3)
wi.run("lorenz", params="sigma")
wi.run("lorenz").log("first")
wi.run("lorenz").log(loss="0.5")
wi.runs("runs.db")[0].metric
wi.transaction("runs.db")
wi.transaction(sqlite3.connect("runs.db"), 5)
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
    tools = build / "mypy"
    if not (tools / "done").exists():
        pytest.skip("there is no mypy; type: make python")

    def run(*arguments, module="mypy", path=()):
        options = [f"--cache-dir={cache}"] if module == "mypy" else []
        places = {"PYTHONPATH": os.pathsep.join(map(str, [*path, tools])), "MYPYPATH": str(*path or [root / "python"])}
        command = [sys.executable, "-m", module, *options, *arguments]
        return subprocess.run(
            command, env={**os.environ, **places}, cwd=cache, capture_output=True, text=True, timeout=120
        )

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
    site = build / "site"
    can_import = [sys.executable, "-c", "import within"]
    if subprocess.run(can_import, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True).returncode:
        pytest.skip(f"{site} has no extension module for {sys.executable}")
    ini, inside = tmp_path / "mypy.ini", tmp_path / "inside"  # what has no stubs is not looked into
    ini.write_text("[mypy]\n[mypy-within.*]\nignore_errors = True\n")
    inside.write_text(r"within\._.*" + "\n")
    options = ["--concise", "--ignore-disjoint-bases", f"--allowlist={inside}", "--ignore-unused-allowlist"]
    done = mypy("within", *options, f"--mypy-config-file={ini}", module="mypy.stubtest", path=[site])
    assert done.returncode == 0, done.stdout + done.stderr
