"""The way in: what is missing is said in one line, and each check of the source fails on what it is for."""

import os
import shutil
import subprocess
import sys

import pytest
from libraries import OPTIONAL


def run(*command, path=None):
    environment = {**os.environ, "PATH": path} if path else None
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the headers and sources, to break."""
    for folder in "include", "src":
        shutil.copytree(root / folder, tmp_path / folder)
    return tmp_path


def append(path, text):
    path.write_text(path.read_text() + text)


# ---- tools/setup.sh ----


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with nothing but what a script needs, and an account that is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in "bash", "env", "grep", "mktemp", "rm", "cat", "dirname":
        (folder / name).symlink_to(shutil.which(name))
    stub(folder / "id", "echo 1000")
    return folder


def stub(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_setup_says_the_one_line_to_type(root, bare_path):
    stub(bare_path / "apt-get", "exit 0")
    done = run(root / "tools/setup.sh", "build", path=bare_path)
    assert done.returncode == 1
    packages = "gcc libc6-dev meson ninja-build pkgconf"
    assert f"apt-get install -y --no-install-recommends {packages}\n" in done.stderr


def test_setup_names_only_what_is_missing(root, bare_path):
    for name in "cc", "meson", "pkg-config":
        stub(bare_path / name, "exit 0")
    done = run(root / "tools/setup.sh", "build", path=bare_path)
    assert done.stderr.rstrip().endswith("--no-install-recommends ninja-build\n".rstrip() + (
        "\nThese are Debian's names; other systems have the same tools under similar ones."
    ))


def test_setup_is_silent_when_nothing_is_missing(root, bare_path):
    for name in "cc", "meson", "ninja", "pkg-config":
        stub(bare_path / name, "exit 0")
    done = run(root / "tools/setup.sh", "build", path=bare_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_updates_the_lists_once_and_installs(root, bare_path):
    """The first install fails, as with old lists; after the update it brings what was missing."""
    for name in "cc", "meson", "pkg-config":
        stub(bare_path / name, "exit 0")
    stub(bare_path / "id", "echo 0")
    calls = bare_path / "calls"
    stub(
        bare_path / "apt-get",
        f'echo "$1" >>{calls}\n'
        f'if [ "$1" = update ]; then ln -s cc {bare_path}/ninja; else [ -e {bare_path}/ninja ]; fi',
    )
    (bare_path / "ln").symlink_to(shutil.which("ln"))
    done = run(root / "tools/setup.sh", "build", path=bare_path)
    assert done.returncode == 0, done.stderr
    assert calls.read_text().split() == ["install", "update", "install"]


def test_setup_names_its_tiers(root):
    done = run(root / "tools/setup.sh", "biuld")
    assert done.returncode == 2
    assert "no tier 'biuld'; there are build, runs, test, python, numeric, mlflow, venv, bench, check and ci" in done.stderr


# ---- tools/check_layers.py ----


def check_layers(root, copy):
    return run(sys.executable, root / "tools/check_layers.py", copy)


def test_the_layers_are_kept(root):
    done = check_layers(root, root)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("name", "include", "why"),
    [
        ("src/block/try.c", '"record/tree.h"', "block must not include record"),
        ("src/block/try.c", '"../record/tree.h"', "block must not include record"),
        ("src/block/try.c", "<within/section.h>", "block must not include manage"),
        ("src/block/try.c", "<within.h>", "block must not include top"),
        ("include/within/error.h", "<within/record.h>", "block must not include record"),
        ("src/report/new.c", '"record/tree.h"', "report must not include record"),
        ("src/report/new.c", '"block/chain.h"', "report must not include block"),
        ("src/record/new.c", '"report/new.h"', "record must not include report"),
        ("src/manage/new.c", '"cli/new.h"', "manage must not include cli"),
        ("examples/new.c", '"record/tree.h"', "outside must not include record"),
        ("python/ext/pool.c", '"sections/tree.h"', "ext must not include ext/sections"),
        ("python/ext/contextlib/closing.c", '"sections/tree.h"', "ext/contextlib must not include ext/sections"),
        ("python/ext/contextlib/closing.c", '"record/span.h"', "ext/contextlib must not include record"),
        ("python/ext/sections/tree.c", '"contextlib/exits.h"', "ext/sections must not include ext/contextlib"),
        ("src/manage/new.c", "<within/sqlite.h>", "manage must not include sqlite"),
        ("include/within.h", "<within/sqlite.h>", "top must not include sqlite"),
        ("python/ext/pool.c", "<within/sqlite.h>", "ext must not include sqlite"),
        ("sqlite/new.c", '"record/tree.h"', "sqlite must not include record"),
        ("sqlite/new.c", '"../src/record/tree.h"', "sqlite must not include record"),
    ],
)
def test_an_include_against_the_layers_is_named(root, copy, name, include, why):
    headers = "src/record/tree.h", "src/report/new.h", "src/cli/new.h"
    parts = "python/ext/sections/tree.h", "python/ext/contextlib/exits.h"
    for file in name, *headers, *parts:
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        (copy / file).touch()
    lines = len((copy / name).read_text().splitlines())
    append(copy / name, f"#include {include}\n")
    done = check_layers(root, copy)
    assert done.returncode == 1
    assert f"{name}:{lines + 1}: {why}: #include {include}\n" in done.stdout


@pytest.mark.parametrize("name", ["sqlite/new.c", "examples/new.c", "bench/new.c"])
def test_a_library_of_its_own_is_for_examples_and_itself(root, copy, name):
    (copy / name).parent.mkdir()
    (copy / name).write_text("#include <within.h>\n#include <within/sqlite.h>\n")
    done = check_layers(root, copy)
    assert (done.returncode, done.stdout) == (0, "")


# ---- tools/check_headers.py ----


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("static inline size_t wi__size(size_t x) { return x; }\n", "version.h alone as C11"),
        ("typedef struct wi__twice { int once; } wi__twice;\n", "version.h included twice as C11"),
        ("static inline int *wi__get(void *x) { return x; }\n", "version.h alone as C++17"),
    ],
    ids=["needs another header", "no guard", "C only"],
)
def test_a_header_that_does_not_stand_alone_is_named(root, tmp_path, text, where):
    (tmp_path / "include/within").mkdir(parents=True)
    (tmp_path / "include/within/version.h").write_text(text)
    done = run(sys.executable, root / "tools/check_headers.py", tmp_path)
    assert done.returncode == 1
    assert where in done.stdout


# ---- tools/check_exports.py ----


def check_exports(root, library, headers=None):
    return run(sys.executable, root / "tools/check_exports.py", library, *([headers] if headers else []))


LIBRARIES = ["src/libwithin.so", *(f"{folder}/libwithin-{name}.so" for name, folder, _ in OPTIONAL.values())]


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_library_exports_what_the_headers_declare(root, build, name):
    if not (build / name).exists():
        pytest.skip(f"{name} is not built here")
    done = check_exports(root, build / name)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def small_library(tmp_path):
    """A function that links a library from a text, with one header that declares wi_known."""
    (tmp_path / "include").mkdir()
    (tmp_path / "include/within.h").write_text(
        '#define WI_API __attribute__((visibility("default")))\nWI_API int wi_known(void);\n'
    )

    def link(source, *flags, name="libsmall.so"):
        (tmp_path / "small.c").write_text(source)
        library = tmp_path / name
        done = run("cc", "-shared", "-fPIC", tmp_path / "small.c", "-o", library, "-Wl,--no-as-needed", *flags)
        assert done.returncode == 0, done.stderr
        return library

    return link


KNOWN = "int wi_known(void) { return 0; }\n"


@pytest.mark.parametrize(
    ("source", "flags", "message"),
    [
        (KNOWN + "int wi__stray;\n", (), "wi__stray is exported, but no header for users or the Python extension declares it"),
        ("static int x;\n", (), "wi_known is declared with WI_API, but not exported"),
        (KNOWN, ("-lrt", "-ldl", "-lstdc++"), "needs libstdc++.so.6: only libc and libm may be"),
    ],
    ids=["stray symbol", "missing symbol", "another library"],
)
def test_a_library_that_says_too_much_or_too_little_is_named(
    root, tmp_path, small_library, source, flags, message
):
    done = check_exports(root, small_library(source, *flags), tmp_path)
    assert done.returncode == 1
    assert message in done.stdout
    assert check_exports(root, small_library(KNOWN), tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("source", "flags", "message"),
    [
        ("int wi_own(void) { return 0; }\n" + KNOWN, (), "wi_known is exported, but no header"),
        ("static int x;\n", (), "wi_own is declared with WI_API, but not exported"),
        ("int wi_own(void) { return 0; }\n", ("-lstdc++",), "needs libstdc++.so.6: only libwithin and libsqlite3 may be"),
    ],
    ids=["a symbol of libwithin", "missing symbol", "another library"],
)
def test_a_library_of_its_own_exports_what_its_header_declares(
    root, tmp_path, small_library, source, flags, message
):
    small_library(KNOWN)
    (tmp_path / "include/within").mkdir()
    (tmp_path / "include/within/sqlite.h").write_text("#include <within.h>\nWI_API int wi_own(void);\n")
    done = check_exports(root, small_library(source, *flags, name="libwithin-sqlite.so"), tmp_path)
    assert done.returncode == 1
    assert message in done.stdout
    good = small_library("int wi_own(void) { return 0; }\n", name="libwithin-sqlite.so")
    assert check_exports(root, good, tmp_path).returncode == 0
    assert check_exports(root, small_library(KNOWN), tmp_path).returncode == 0


# ---- the Makefile ----


def test_make_help_names_every_target(root):
    text = (root / "Makefile").read_text()
    targets = text.split(".PHONY:")[1].splitlines()[0].split()
    shown = run("make", "-C", root, "help").stdout
    assert [t for t in targets if t not in ("all", "help") and f"make {t} " not in shown] == []
