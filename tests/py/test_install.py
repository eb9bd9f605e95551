"""The library installs into an empty prefix, and programs in C and C++ build against what is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from libraries import OPTIONAL

CONSUMER = r"""
#include <stdio.h>
#include <within.h>

wi_generator(door, int opened) {
    wi_begin;
    self->opened = 1;
    puts("open");
    wi_yield;
    puts(error ? "closed by an error" : "closed");
}

static void pass(void *arg) {
    (void)arg;
    within (wi_make(door)) wi_raise(WI_VALUE_ERROR, "the %s is heavy", "door");
}

int main(void) {
    wi_error *error;
    within (opened, wi_make(door)) { printf("in %d\n", opened->opened); }
    if (!wi_call(pass, NULL, &error)) puts(wi_error_message(error));
    wi_error_free(error);
    puts(wi_version());
    return 0;
}
"""

OUTPUT = "open\nin 1\nclosed\nopen\nclosed by an error\nthe door is heavy\n0.1.0\n"

SECTIONS = r"""
#include <within.h>

int main(void) {
    within (wi_section("sweep")) {
        within (wi_section("snr")) {}
    }
    wi_report(stdout);
    return 0;
}
"""

# One for each library of its own, by its header.
OPTIONAL_CONSUMERS = {
    "hdf5": r"""
#include <hdf5.h>
#include <stdio.h>
#include <within/hdf5.h>

int main(void) {
    double spectrum[] = {1, 2, 3};
    within (file, wi_h5_file("run.h5", "w")) {
        wi_h5_write(file, "spectrum", spectrum, 3);
        wi_h5_attribute(file, "spectrum", "unit", "V");
        printf("valid %d\n", H5Iis_valid(file->id));
    }
    return 0;
}
""",
    "run": r"""
#include <stdio.h>
#include <within.h>
#include <within/run.h>

int main(void) {
    within (run, wi_run("installed", .database = "experiments.db")) wi_run_metric(run, "x", 0, 1.5);
    puts("logged");
    return 0;
}
""",
    "sqlite": r"""
#include <stdio.h>
#include <within/sqlite.h>

int main(void) {
    within (db, wi_database("runs.db")) {
        within (wi_transaction(db)) wi_database_execute(db, "CREATE TABLE run (name TEXT)");
        printf("changes %d\n", sqlite3_total_changes(db->handle));
    }
    return 0;
}
""",
}


def run(*command, **environment):
    """The output of a command that must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def prefix(root, tmp_path_factory):
    """A prefix that was empty before `make install`, from a build that has the Python package too."""
    folder = tmp_path_factory.mktemp("install")
    build, prefix = folder / "build", folder / "prefix"
    python = run(root / "tools/pythons.py").strip().split(",")[0]
    fast = ["-Dtests=disabled", "-Doptimization=0"]
    run("meson", "setup", build, root, "--libdir=lib", *fast, f"-Dpython={python}")
    run("make", "-C", root, "install", f"BUILD={build}", f"PREFIX={prefix}")
    return prefix


def flags(prefix, *options, package="within"):
    search = str(prefix / "lib" / "pkgconfig")
    return run("pkg-config", *options, package, PKG_CONFIG_PATH=search).split()


def is_built(prefix, header):
    """Is the library of a header of its own there?"""
    return (prefix / f"lib/libwithin-{OPTIONAL[header][0]}.so").exists()


def build_consumer(prefix, tmp_path, compiler, linking, source=CONSUMER, package="within"):
    """Build a program as the README says, and return its path."""
    suffix = ".cpp" if "+" in compiler else ".c"
    text, program = tmp_path / f"consumer{suffix}", tmp_path / "consumer"
    text.write_text(source)
    options = ["--cflags", "--libs", *(["--static"] if linking == "static" else [])]
    static = ["-static"] if linking == "static" else []
    run(compiler, "-Wall", "-Wextra", "-Werror", *static, text, "-o", program, *flags(prefix, *options, package=package))
    return program


@pytest.mark.parametrize("linking", ["shared", "static"])
@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang-19", "clang++-19"])
def test_a_program_builds_and_runs(prefix, tmp_path, compiler, linking):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not on this machine")
    program = build_consumer(prefix, tmp_path, compiler, linking)
    assert run(program, LD_LIBRARY_PATH=str(prefix / "lib")) == OUTPUT


@pytest.mark.parametrize("linking", ["shared", "static"])
def test_sections_work_in_an_installed_library(prefix, tmp_path, linking):
    program = build_consumer(prefix, tmp_path, "cc", linking, SECTIONS)
    report = run(program, LD_LIBRARY_PATH=str(prefix / "lib"))
    assert "sweep" in report and "snr" in report


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
@pytest.mark.parametrize("header", OPTIONAL)
def test_a_program_builds_with_a_library_of_its_own(prefix, tmp_path, monkeypatch, header, compiler):
    name = OPTIONAL[header][0]
    if not is_built(prefix, header):
        pytest.skip(f"libwithin-{name} is not built here")
    program = build_consumer(prefix, tmp_path, compiler, "shared", OPTIONAL_CONSUMERS[header], f"within-{name}")
    monkeypatch.chdir(tmp_path)
    run(program, LD_LIBRARY_PATH=str(prefix / "lib"))
    assert f"[libwithin-{name}.so.0]" in run("readelf", "-d", program)


def test_programs_find_the_shared_library_by_its_soname(prefix, tmp_path):
    program = build_consumer(prefix, tmp_path, "cc", "shared")
    assert "[libwithin.so.0]" in run("readelf", "-d", program)


def test_every_public_header_is_installed_and_no_other(prefix, root):
    def headers(folder):
        return {path.relative_to(folder) for path in folder.rglob("*.h")}

    missing = {Path(f"within/{header}.h") for header in OPTIONAL if not is_built(prefix, header)}
    assert headers(prefix / "include") == headers(root / "include") - missing


def test_the_pc_file_asks_for_exceptions(prefix):
    assert "-fexceptions" in flags(prefix, "--cflags")


def test_the_pc_file_says_the_version_of_the_header(prefix, root):
    version = flags(prefix, "--modversion")[0]
    assert f'#define WI_VERSION "{version}"' in (root / "include/within/version.h").read_text()


def test_the_command_is_installed_and_runs_from_there(prefix):
    assert "0.1.0" in run(prefix / "bin" / "within", "--version")


def test_commands_that_need_more_libraries_are_found_in_libexec(prefix, tmp_path):
    if not (prefix / "libexec/within/within-runs").exists():
        pytest.skip("within-runs is not built here")
    assert "usage: within runs" in run(prefix / "bin/within", "runs", "--help")
    moved = shutil.copytree(prefix, tmp_path / "moved")
    assert "usage: within plot" in run(moved / "bin/within", "plot", "--help")


def test_the_manual_pages_are_installed(prefix):
    pages = {path.name for path in (prefix / "share/man/man1").iterdir()}
    expected = ["within", "within-run", "within-report", "within-clean"]
    if (prefix / "libexec/within/within-runs").exists():
        expected += [f"within-{name}" for name in ("runs", "show", "compare", "plot", "export", "close", "delete")]
    if (prefix / "libexec/within/within-push").exists():
        expected += ["within-push"]
    assert pages == {f"{name}.1" for name in expected}


def test_the_python_package_is_not_installed(prefix):
    assert not list(prefix.rglob("*.py"))
    assert not (prefix.parent / "build" / "site").exists()
