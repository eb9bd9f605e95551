"""The package that pip builds and installs: it imports, runs its command, and C code builds against it."""

import functools
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from libraries import OPTIONAL

ROOT = Path(__file__).resolve().parents[2]

# Opens sections in C on the record of the process that imports it.
EXTENSION = r"""
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <within.h>

static PyObject *solve(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    within (wi_section("solve")) {
        within (wi_section("factor")) {}
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"solve", solve, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "solver", NULL, 0, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_solver(void) { return PyModule_Create(&module); }
"""

PROGRAM = r"""
#include <stdio.h>
#include <within.h>

int main(void) {
    within (wi_section("sweep")) {}
    puts(wi_version());
    return 0;
}
"""

# The library must be there once, whichever of the two is imported first.
USE = """
import sys
for name in sys.argv[1:]:
    __import__(name)
with sys.modules["within"].section("epoch"):
    sys.modules["solver"].solve()
with open("/proc/self/maps") as maps:
    print(len({line.split()[-1] for line in maps if "libwithin" in line}))
"""


def run(*command, **options):
    """The output of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@functools.cache
def interpreters():
    """Names and paths; the first is tested each time, the others in the long run."""
    lines = run(ROOT / "tools/pythons.py", "--list").splitlines()
    return {line.split()[0]: line.split(maxsplit=2)[2] for line in lines}


def parameters():
    for index, name in enumerate(interpreters()):
        yield pytest.param(name, marks=[pytest.mark.long] if index else [], id=name)


def install(python, folder, *options, tools):
    """Make a virtual environment in folder/venv, and have pip put this tree into it."""
    run(python, "-m", "venv", "--without-pip", folder / "venv")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--python", folder / "venv/bin/python"]
    run(*pip, "install", *options, env={**os.environ, "PYTHONPATH": str(tools)})
    return folder / "venv/bin"


@pytest.fixture(scope="module", params=parameters())
def package(request, root, build, tmp_path_factory):
    """A wheel of this tree for one interpreter, and a fresh virtual environment with it."""
    python, folder = interpreters()[request.param], tmp_path_factory.mktemp("wheel")
    tools = build / "python-tools"
    build_wheel = [python, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--quiet"]
    build_wheel += [f"--config-settings=build-dir={folder}/build", "--wheel-dir", folder, root]
    build_wheel += ["--config-settings=setup-args=-Doptimization=0"]
    run(*build_wheel, env={**os.environ, "PYTHONPATH": str(tools)})
    (wheel,) = folder.glob("*.whl")
    bin = install(python, folder, "--no-deps", "--no-index", wheel, tools=tools)
    built = (folder / "build/src/cli").glob("within*")
    programs = {path.name for path in built if path.is_file() and path.suffix != ".1"}
    return SimpleNamespace(wheel=wheel, bin=bin, python=bin / "python", programs=programs)


def ask(package, expression):
    """The value of an expression of the installed package."""
    return run(package.python, "-c", f"import within, sysconfig; print({expression})").strip()


def flags(package):
    """What a user gives the compiler."""
    include, library = ask(package, "within.get_include()"), ask(package, "within.get_library_dir()")
    return [f"-I{include}", "-fexceptions", f"-L{library}", f"-Wl,-rpath,{library}", "-lwithin"]


@pytest.fixture(scope="module")
def solver(package, tmp_path_factory):
    """The folder of the C extension, built against the installed package."""
    folder = tmp_path_factory.mktemp("solver")
    (folder / "solver.c").write_text(EXTENSION)
    headers = ask(package, "sysconfig.get_path('include')")
    suffix = ask(package, "sysconfig.get_config_var('EXT_SUFFIX')")
    module = folder / f"solver{suffix}"
    run("cc", "-shared", "-fPIC", f"-I{headers}", folder / "solver.c", "-o", module, *flags(package))
    return folder


def with_sqlite(names):
    """Was it built where SQLite is?"""
    return any(name.startswith("within/_runs.") for name in names)


def test_the_wheel_holds_what_its_users_need_and_no_more(package, root):
    names = {name for name in zipfile.ZipFile(package.wheel).namelist() if name.startswith("within/")}
    headers = {f"within/include/{path.relative_to(root / 'include')}" for path in (root / "include").rglob("*.h")}
    on_sqlite = {name for name in OPTIONAL if name != "hdf5"} if with_sqlite(names) else set()
    headers -= {f"within/include/within/{name}.h" for name in OPTIONAL if name not in on_sqlite}
    tracked = run("git", "-C", root, "ls-files", "python/within").split()
    sources = {name.removeprefix("python/") for name in tracked} - {"within/meson.build", "within/libwithin.so.in"}
    binaries = {f"within/bin/{name}" for name in package.programs}
    binaries |= {"within/lib/libwithin.so", "within/lib/libwithin.so.0"}
    libraries = {f"within/lib/libwithin-{library}.so" for library in ("runs", "sqlite") if on_sqlite}
    binaries |= libraries | {f"{name}.0" for name in libraries}
    modules = {name for name in names if name.startswith(("within/_within.", "within/_runs."))}
    assert len(modules) == (2 if on_sqlite else 1)
    assert names - modules == headers | sources | binaries


def test_its_binaries_export_and_need_what_they_may(package, root, tmp_path):
    zipfile.ZipFile(package.wheel).extractall(tmp_path)
    assert run(sys.executable, root / "tools/check_modules.py", tmp_path / "within") == ""


def test_it_imports_and_says_its_version(package):
    assert ask(package, "within.__version__") == "0.1.0"
    assert package.wheel.name.startswith("within-0.1.0-cp3")


@pytest.mark.parametrize("command", [["python", "-m", "within"], ["within"]], ids=["-m within", "within"])
def test_the_command_runs(package, command):
    assert "0.1.0" in run(package.bin / command[0], *command[1:], "--version")


def test_runs_find_their_libraries(package, tmp_path):
    if not with_sqlite(zipfile.ZipFile(package.wheel).namelist()):
        pytest.skip("the package was built without SQLite")
    program = f"import within as wi\nwith wi.run('x', '{tmp_path}/runs.db') as r: r.log(x=1)\nprint(wi.runs('{tmp_path}/runs.db'))"
    assert "FINISHED" in run(package.python, "-c", program)


@pytest.mark.parametrize("command, program", [("runs", "runs"), ("plot", "runs"), ("push", "push")])
def test_its_commands_on_runs_are_those_that_are_built_here(package, command, program):
    if f"within-{program}" not in package.programs:
        pytest.skip(f"within-{program} is not built here")
    assert f"usage: within {command}" in run(package.bin / "within", command, "--help")


def test_its_command_lists_and_draws_the_runs_of_its_module(package, tmp_path):
    if "within-runs" not in package.programs:
        pytest.skip("SQLite is not installed here")
    program = "import within as wi\nwith wi.run('x', 'runs.db') as r: r.log_metrics({'loss': 1})"
    run(package.python, "-c", program, cwd=tmp_path)
    assert "FINISHED" in run(package.bin / "within", "runs", cwd=tmp_path)
    if "within-plot" in package.programs:
        run(package.bin / "within", "plot", "x", "loss", "--png", "loss.png", cwd=tmp_path)
        assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("order", [["within", "solver"], ["solver", "within"]])
def test_sections_in_c_are_children_of_those_in_python(package, solver, tmp_path, order):
    record = tmp_path / "run.within"
    environment = {**os.environ, "PYTHONPATH": str(solver), "WITHIN_RECORD": str(record)}
    assert run(package.python, "-c", USE, *order, env=environment) == "1\n"
    report = json.loads(run(package.bin / "within", "report", "--json", record))
    paths = [section["path"] for section in report["sections"]]
    assert paths == ["epoch", "epoch > solve", "epoch > solve > factor"]


def test_a_program_in_c_links_against_it(package, tmp_path):
    (tmp_path / "sweep.c").write_text(PROGRAM)
    run("cc", tmp_path / "sweep.c", "-o", tmp_path / "sweep", *flags(package))
    assert run(tmp_path / "sweep") == "0.1.0\n"


@pytest.mark.long
def test_pip_builds_it_as_users_ask(root, build, tmp_path):
    """With build isolation: pip fetches what pyproject.toml asks for."""
    python = list(interpreters().values())[0]
    bin = install(python, tmp_path, root, tools=build / "python-tools")
    assert "0.1.0" in run(bin / "within", "--version")
