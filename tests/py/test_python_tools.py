"""What stands behind the tests of the Python package: interpreters are found, and its binaries are fit to ship."""

import json
import os
import shutil
import subprocess
import sys

import pytest


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def stub(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


# ---- tools/check_modules.py ----


def check_modules(root, package):
    return run(sys.executable, root / "tools/check_modules.py", package)


@pytest.fixture
def package(tmp_path):
    """A function that makes a package with one module from a text, beside an empty library and command."""
    for name, flags in ("lib/libwithin.so.0", ["-shared", "-Wl,-soname,libwithin.so.0"]), ("bin/within", ["-shared"]):
        (tmp_path / name).parent.mkdir()
        assert run("cc", "-xc", "/dev/null", "-o", tmp_path / name, *flags).returncode == 0

    def link(source, *flags):
        (tmp_path / "module.c").write_text(source)
        command = ["cc", "-shared", "-fPIC", tmp_path / "module.c", "-o", tmp_path / "_within.test.so"]
        done = run(*command, "-Wl,--no-as-needed", *flags)
        assert done.returncode == 0, done.stderr
        return tmp_path

    return link


ENTRY = "void *PyInit__within(void) { return 0; }\n"
HERE = "-Wl,-rpath,$ORIGIN/lib"


@pytest.mark.parametrize(
    ("source", "flags", "message"),
    [
        (ENTRY + "int within_stray;\n", [HERE], "exports within_stray, not PyInit__within alone"),
        ("static int x;\n", [HERE], "does not export PyInit__within"),
        (ENTRY, [HERE, "-lstdc++"], "needs libstdc++.so.6"),
        (ENTRY, ["-Wl,-rpath,/home/me/build"], "looks for libraries in ['/home/me/build'], not in $ORIGIN/lib"),
        (ENTRY, [], "looks for libraries in [], not in $ORIGIN/lib"),
    ],
    ids=["stray symbol", "no entry", "another library", "a path of the build", "no path"],
)
def test_a_module_that_is_not_fit_to_ship_is_named(root, tmp_path, package, source, flags, message):
    library = tmp_path / "lib/libwithin.so.0"
    done = check_modules(root, package(source, library, *flags))
    assert (done.returncode, done.stdout) == (1, f"_within.test.so: {message}\n")
    assert check_modules(root, package(ENTRY, library, HERE)).returncode == 0


def test_a_module_without_our_library_is_named(root, package):
    done = check_modules(root, package(ENTRY, HERE))
    assert "does not need libwithin.so.0" in done.stdout


# ---- tools/pythons.py ----


def pythons(root, path, *options, **environment):
    command = [sys.executable, root / "tools/pythons.py", *options]
    environment = {"PATH": f"{path}:/usr/bin:/bin", "PYENV_ROOT": "/nowhere", "BUILD": "/nowhere", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


@pytest.fixture
def interpreters(tmp_path):
    """A function that makes programs which answer as interpreters would: name, version, and what else differs."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(program, version, **changes):
        short = ".".join(map(str, version[:2]))
        answer = {
            "path": f"/opt/{program}", "version": [*version, True], "suffix": f".cpython-{short}.so", "name": short,
            "usable": True, "debug": False, "tests": True, **changes,
        }
        stub(folder / program, f"echo '{json.dumps(answer)}'")

    make.folder = folder
    return make


def paths_of(root, interpreters, **environment):
    done = pythons(root, interpreters.folder, **environment)
    return [path for path in done.stdout.strip().split(",") if path.startswith("/opt/")]


def test_interpreters_are_found_oldest_first_and_old_ones_left_out(root, interpreters):
    interpreters("python3.90", (3, 90, 1))
    interpreters("python3.91", (3, 91, 0), suffix="d.so", name="3.91d")
    interpreters("python3.9", (3, 9, 9))
    interpreters("python3.80", (3, 80, 4), usable=False)
    stub(interpreters.folder / "python3.92", "exit 1")
    stub(interpreters.folder / "python3.93", "echo nonsense")
    assert paths_of(root, interpreters) == ["/opt/python3.90", "/opt/python3.91"]
    assert paths_of(root, interpreters, PYTHONS="3.91d") == ["/opt/python3.91"]


def test_one_interpreter_is_taken_for_each_abi(root, interpreters):
    interpreters("python3", (3, 90, 7), tests=False)
    interpreters("python3.90", (3, 90, 1))
    interpreters("python3.90-dbg", (3, 90, 2), tests=False)
    assert paths_of(root, interpreters) == ["/opt/python3.90"]


def test_without_an_interpreter_it_says_what_to_type(root, interpreters):
    done = pythons(root, interpreters.folder, PYTHONS="3.91")
    assert done.returncode == 1
    assert "type: tools/setup.sh python" in done.stderr


# ---- tools/fetch_pythons.sh ----


@pytest.fixture
def fetch(root, tmp_path):
    """A function that runs the script with an apt-get of our own, into an empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in "bash", "env", "dirname", "mkdir", "grep", "sed", "awk", "sort", "head", "cat", "rm":
        (folder / name).symlink_to(shutil.which(name))

    def run(apt_get, *tools):
        for name in tools:
            stub(folder / name, "exit 0")
        stub(folder / "apt-get", apt_get)
        environment = {"PATH": str(folder), "BUILD": str(tmp_path / "build")}
        command = [root / "tools/fetch_pythons.sh"]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)

    return run


def test_without_its_tools_it_says_that_it_goes_on(fetch):
    done = fetch("exit 0")
    assert done.returncode == 1
    assert done.stderr == "tools/fetch_pythons.sh: dpkg-deb is missing: going on without more interpreters\n"


@pytest.mark.skipif(not os.path.exists("/usr/share/keyrings/debian-archive-keyring.gpg"), reason="no Debian")
@pytest.mark.parametrize(
    "apt_get",
    ["exit 100", 'case " $* " in *" update "*) ;; *) exit 100 ;; esac'],
    ids=["no network", "no package"],
)
def test_a_suite_that_cannot_be_had_is_said_and_left(fetch, tmp_path, apt_get):
    done = fetch(apt_get, "dpkg-deb", "patchelf", "apt-cache")
    assert done.returncode == 1
    assert "tools/fetch_pythons.sh: sid: could not be had; going on without\n" in done.stderr
    assert not list(tmp_path.rglob("done"))


# ---- packages for numbers ----


def test_without_a_network_the_tests_that_need_them_go_without(root, tmp_path):
    environment = {**os.environ, "BUILD": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run([root / "tools/setup.sh", "numeric"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "numpy h5py safetensors threadpoolctl could not be fetched" in done.stderr
    assert done.stderr.endswith("within: the tests that need them are skipped\n")
    assert not (tmp_path / "numeric").exists()


def test_they_are_on_the_path_of_one_interpreter_alone(root, tmp_path):
    (tmp_path / "numeric").mkdir()
    (tmp_path / "numeric/interpreter").write_text("/opt/python3.90\n")
    code = """
import sys, types
sys.path.append("tools")
import run_python
for path in "/opt/python3.90", "/opt/python3.91":
    print(run_python.with_numeric({"PYTHONPATH": "site"}, types.SimpleNamespace(path=path)))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, env={**os.environ, "BUILD": str(tmp_path)}, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        str({"PYTHONPATH": f"site:{tmp_path}/numeric"}),
        str({"PYTHONPATH": "site"}),
    ], done.stderr
