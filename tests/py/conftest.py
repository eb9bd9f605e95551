"""What the Python tests share: the build that they test, and a compiler for programs in strings."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from libraries import flags_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    """The source tree."""
    return ROOT


@pytest.fixture(scope="session")
def build():
    """The build folder: WITHIN_BUILD, or build/ in the source tree."""
    folder = Path(os.environ.get("WITHIN_BUILD", ROOT / "build"))
    if not (folder / "build.ninja").exists():
        pytest.exit(f"{folder} is no build folder; type: make test", returncode=1)
    return folder


@pytest.fixture(scope="session")
def within(build):
    """The path of the command."""
    return build / "src" / "cli" / "within"


@pytest.fixture(scope="session")
def with_runs(build):
    """For tests of the commands that need SQLite."""
    if not (build / "src/cli/within-runs").exists():
        pytest.skip("within-runs is not built here")


@pytest.fixture(scope="session")
def compile_c(build):
    """A function compile_c(tmp_path, source, *flags): the path of the program that the text makes.

    Against the headers of this tree and the libraries of this build, as a user would. Flags come last
    and may say more: "-O3", "-xc++". CC chooses the compiler. What the compiler says is the text of a
    RuntimeError.
    """

    def compile_program(tmp_path, source, *flags):
        text, program = tmp_path / "program.c", tmp_path / "program"
        text.write_text(source)
        command = [*shlex.split(os.environ.get("CC", "cc")), "-std=gnu11", "-O1", "-g"]
        if "-xc++" in flags:
            command = [*shlex.split(os.environ.get("CXX", "c++")), "-std=gnu++17", "-O1", "-g"]
        command += ["-Wall", "-Wextra", "-fexceptions", f"-I{ROOT / 'include'}", *flags, str(text)]
        command += ["-xnone", "-o", str(program), *flags_for(source, build)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}\n{run.stderr}")
        return program

    return compile_program


@pytest.fixture(scope="session")
def compiled(compile_c, tmp_path_factory):
    """A function compiled(source): the path of the program that the text makes, which is compiled once."""
    programs = {}

    def compile_once(source):
        if source not in programs:
            programs[source] = compile_c(tmp_path_factory.mktemp("program"), source)
        return programs[source]

    return compile_once
