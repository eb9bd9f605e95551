"""HDF5 files are whole after any end of their writer: kills at random moments, faults of system calls, full disks.

In C, and in Python with h5py: one reader in C reads what either writes.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import hdf5_programs
import pytest
from faults import every_fault
from kills import kill_in_folders, seconds_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def python(build):
    """The command of the interpreter that has h5py here, in an environment in which it finds it and the package."""
    sys.path.append(str(ROOT / "tools"))
    import run_python

    interpreter, packages = run_python.numeric_packages()
    if not interpreter or not any((build / "site/within").glob("_within.*.so")):
        pytest.skip("no interpreter has h5py and the package; type: make test")
    environment = {"PYTHONPATH": f"{build / 'site'}:{packages}", "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"}
    probe = subprocess.run([interpreter, "-c", "import h5py, within"], env=environment, capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"{interpreter} cannot import h5py and within: {probe.stderr}")
    return ["env", *(f"{name}={value}" for name, value in environment.items()), interpreter]


@pytest.fixture
def writer(programs, request):
    """A function writer(language, name): the command of a program that writes."""

    def command(language, name):
        if language == "C":
            return [getattr(programs, name)]
        return [*request.getfixturevalue("python"), "-c", getattr(hdf5_programs, f"PYTHON_{name.upper()}")]

    return command


LANGUAGES = pytest.mark.parametrize("language", ["C", "Python"])
KILLS = pytest.mark.parametrize(
    ("language", "times"),
    [
        pytest.param("C", 200, id="C"),
        pytest.param("Python", 8, id="Python"),
        pytest.param("Python", 200, id="Python 200 times", marks=pytest.mark.long),
    ],
)


@pytest.fixture
def longest_s(language, request, tmp_path):
    """When a writer is killed at the latest. Python's takes a while to begin."""
    if language == "C":
        return 0.06
    begin = [*request.getfixturevalue("python"), "-c", "import h5py, within"]
    return 0.4 + 2 * seconds_of(begin, tmp_path)


@pytest.fixture(scope="module")
def programs(compile_c, tmp_path_factory):
    """The programs by their names: programs.stream, …"""

    class Programs:
        pass

    for name in "arrays", "stream", "read", "recover":
        folder = tmp_path_factory.mktemp(name)
        setattr(Programs, name, compile_c(folder, getattr(hdf5_programs, name.upper())))
    return Programs


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def read(programs, *paths):
    """What the reader says of each file."""
    done = run(programs.read, *paths)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


def last_line(output):
    """The last line that was said in full."""
    return ([""] + output.split("\n"))[-2] if output else ""


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / name for name in ("one", "two")]
    for folder in made:
        folder.mkdir()
    return made


# ---- kills ----


@KILLS
def test_killed_streams_open_and_hold_every_flushed_row(programs, writer, folders, language, times, longest_s):
    streamed, command = 0, [*writer(language, "stream"), "s.h5"]
    for death in kill_in_folders(command, folders, times, seed=1, longest_s=longest_s, reset=empty):
        acknowledged = [int(number) for number in last_line(death.output).split()]
        path = death.folder / "s.h5"
        if not acknowledged and not path.exists():
            continue
        (said,) = read(programs, path)
        kind, *found = said.split()
        assert kind == "stream", (death, said)
        assert all(int(n) >= least for n, least in zip(found, acknowledged)), (death, said)
        streamed += bool(acknowledged)
        if streamed % 10 == 1:
            done = run(programs.recover, path, death.folder / "r.h5")
            assert done.stdout.splitlines()[-1] == "datasets 3", done.stdout + done.stderr
            assert read(programs, path, death.folder / "r.h5") == [said, said]
    assert streamed


def test_no_write_of_a_stream_can_be_cut_in_two_with_harm(compile_c, tmp_path):
    program = compile_c(tmp_path, hdf5_programs.WATCHED, "-rdynamic", "-D_GNU_SOURCE")
    done = run(program, tmp_path / "s.h5", "20000")
    assert (done.stdout, done.stderr) == ("0 harmful\n", "")


@KILLS
def test_kills_leave_the_old_file_or_the_new(programs, writer, folders, language, times, longest_s):
    published, command = 0, [*writer(language, "arrays"), "a.h5"]
    for death in kill_in_folders(command, folders, times, seed=2, longest_s=longest_s, reset=empty):
        number = int(last_line(death.output) or 0)
        path = death.folder / "a.h5"
        if number == 0 and not path.exists():
            continue
        (said,) = read(programs, path)
        assert said in (f"arrays {number}", f"arrays {number + 1}"), death
        published += number > 0
    assert published


# ---- faults ----


FAULTS = pytest.mark.parametrize("language", ["C", pytest.param("Python", marks=pytest.mark.long)])
# Python starts slowly: each call that it makes is disturbed in one way.
PYTHON_ERRORS = {"write": ("ENOSPC",), "fsync": ("EIO",), "rename": ("ENOSPC",), "open": ("EMFILE",)}


def leftovers(folder, *known):
    return [path.name for path in folder.iterdir() if path.name not in known]


@FAULTS
def test_a_fault_leaves_the_old_file_or_the_new_and_no_orphan(programs, writer, tmp_path, language):
    folder, old = tmp_path / "folder", tmp_path / "old.h5"
    folder.mkdir()
    target = folder / "a.h5"
    command = writer(language, "arrays")
    assert run(*command, old, "5").returncode == 0

    def reset():
        empty(folder)
        shutil.copy(old, target)

    seen = set()
    options = {"errors": PYTHON_ERRORS} if language == "Python" else {}
    for call, error, done in every_fault([*command, target, "1"], folder, reset, **options):
        seen.add(call.name)
        (said,) = read(programs, target)
        assert said in ("arrays 1", "arrays 5"), (call, error, done)
        assert said == "arrays 1" or (done.returncode and not done.stdout), (call, error, done)
        if error == "kill":
            continue
        assert done.returncode in (0, 1), (call, error, done)
        assert done.returncode == 0 or "a.h5: " in done.stderr.splitlines()[-1 if language == "Python" else 1]
        assert "HDF5-DIAG" not in done.stderr
        if call.name != "unlink":
            assert leftovers(folder, "a.h5") == [], (call, error, done)
    assert {"open", "write", "fsync", "rename"} <= seen


@FAULTS
def test_a_fault_leaves_every_flushed_row(programs, writer, tmp_path, language):
    folder = tmp_path / "folder"
    folder.mkdir()
    target = folder / "s.h5"
    rows = 2 if language == "Python" else 6
    options = {"errors": {"write": ("ENOSPC",)}} if language == "Python" else {}
    for call, error, done in every_fault([*writer(language, "stream"), target, str(rows)], folder, lambda: empty(folder), **options):
        acknowledged = [int(number) for number in last_line(done.stdout).split()]
        assert done.returncode in (0, 1, 137), (call, error, done)
        assert "HDF5-DIAG" not in done.stderr
        if not acknowledged and not target.exists():
            continue
        (said,) = read(programs, target)
        kind, *found = said.split()
        assert kind == "stream", (call, error, said, done)
        assert all(int(n) >= least for n, least in zip(found, acknowledged)), (call, error, said, done)
        if language == "C":
            assert done.returncode or found == [str(rows)] * 3, (call, error, said, done)


# ---- a full disk ----


def on_a_small_disk(tmp_path, command, name):
    """Run a command until its disk of 400 KB is full; what it said, and what it has left there."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=400k none {disk} || exit 99; echo old >{disk}/a.h5; "$@" {disk}/{name}; status=$?; cp -a {disk} {kept}; exit $status'
    try:
        done = run("unshare", "-rm", "sh", "-c", script, "sh", *command)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if not kept.exists():
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    return done, kept


@LANGUAGES
def test_a_full_disk_leaves_the_rows_that_were_flushed(programs, writer, tmp_path, language):
    done, kept = on_a_small_disk(tmp_path, writer(language, "stream"), "s.h5")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr and "s.h5: " in done.stderr
    acknowledged = [int(number) for number in last_line(done.stdout).split()]
    (said,) = read(programs, kept / "s.h5")
    kind, *found = said.split()
    assert kind == "stream" and all(int(n) >= least > 100 for n, least in zip(found, acknowledged)), (said, acknowledged)


FULL = {
    "C": r"""
#include <within.h>
#include <within/hdf5.h>
static double numbers[1000];
int main(int count, char **arguments) {
    char name[32];
    within (file, wi_h5_file(arguments[count - 1], "w"))
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "x%d", i);
            if (count == 2) wi_h5_write(file, name, numbers, 1000);
            else wi_h5_append(wi_h5_stream_dataset(file, name, .gzip = 1, .chunk_rows = 1000), numbers, 999);
        }
    return 0;
}
""",
    "Python": """
import sys, numpy as np, within as wi
with wi.h5_file(sys.argv[-1], "w") as file:
    for i in range(1000):
        file.create_dataset(f"x{i}", data=np.random.rand(1000), chunks=(1000,), compression="gzip")
""",
}


@LANGUAGES
def test_a_full_disk_leaves_the_old_file_and_the_process_alive(compile_c, request, tmp_path, language):
    if language == "C":
        command = [compile_c(tmp_path, FULL["C"])]
    else:
        command = [*request.getfixturevalue("python"), "-c", FULL["Python"]]
    done, kept = on_a_small_disk(tmp_path, command, "a.h5")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr and "a.h5: " in done.stderr and "HDF5-DIAG" not in done.stderr
    assert (kept / "a.h5").read_text() == "old\n" and leftovers(kept, "a.h5") == []


# ---- what others write ----


def test_h5py_reads_what_c_writes_and_c_what_h5py_writes(programs, writer, python, tmp_path):
    assert run(*writer("C", "arrays"), tmp_path / "c.h5", "1").returncode == 0
    assert run(*writer("C", "stream"), tmp_path / "s.h5", "20").returncode == 0
    code = """
import sys, h5py
with h5py.File(sys.argv[1]) as a, h5py.File(sys.argv[2]) as s:
    print(a["raw/x"].shape, a["raw/x"].dtype, a["raw/x"][99, 49], a["counts"].dtype, a["counts"][:].tolist())
    print(dict(a["raw/x"].attrs), {name: value.item() for name, value in a.attrs.items()})
    print(s["raw/samples"][19].tolist(), s["counts"][:].sum(), s["packed"].chunks, s["packed"].compression, s["packed"].shuffle)
    print(s.attrs["program"], s["counts"].attrs["gain"].dtype)
"""
    done = run(*python, "-c", code, tmp_path / "c.h5", tmp_path / "s.h5")
    assert done.stderr == "" and done.stdout.splitlines() == [
        "(100, 50) float64 1.0 int32 [1, 1, 1, 1, 1, 1, 1]",
        "{'unit': 'V'} {'number': 1}",
        "[19.0, -9.5] 190 (4,) gzip True",
        "stream float64",
    ]
