"""HDF5 files are whole after any end of their writer: kills at random moments, faults of system calls, full disks."""

import re
import shutil
import subprocess

import hdf5_programs
import pytest
from faults import every_fault
from kills import kill_in_folders


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


def test_200_killed_streams_open_and_hold_every_flushed_row(programs, folders):
    streamed = 0
    for death in kill_in_folders([programs.stream, "s.h5"], folders, 200, seed=1, longest_s=0.06, reset=empty):
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
    assert streamed > 100


def test_200_kills_leave_the_old_file_or_the_new(programs, folders):
    published = 0
    for death in kill_in_folders([programs.arrays, "a.h5"], folders, 200, seed=2, longest_s=0.05, reset=empty):
        number = int(last_line(death.output) or 0)
        path = death.folder / "a.h5"
        if number == 0 and not path.exists():
            continue
        (said,) = read(programs, path)
        assert said in (f"arrays {number}", f"arrays {number + 1}"), death
        published += number > 0
    assert published > 100


# ---- faults ----


def leftovers(folder, *known):
    return [path.name for path in folder.iterdir() if path.name not in known]


def test_a_fault_leaves_the_old_file_or_the_new_and_no_orphan(programs, tmp_path):
    folder, old = tmp_path / "folder", tmp_path / "old.h5"
    folder.mkdir()
    target = folder / "a.h5"
    assert run(programs.arrays, old, "5").returncode == 0

    def reset():
        empty(folder)
        shutil.copy(old, target)

    seen = set()
    for call, error, done in every_fault([programs.arrays, target, "2"], folder, reset):
        seen.add(call.name)
        (said,) = read(programs, target)
        last = int(last_line(done.stdout) or 0)
        possible = {2} if done.returncode == 0 else {last or 5, last + 1}
        assert said in {f"arrays {number}" for number in possible}, (call, error, done)
        if error == "kill":
            continue
        assert done.returncode in (0, 1), (call, error, done)
        if done.returncode:
            assert re.match(r"within: uncaught error, .*\nWI_\w+: .*a\.h5: ", done.stderr), (call, error, done)
            assert "HDF5-DIAG" not in done.stderr
        if call.name != "unlink":
            assert leftovers(folder, "a.h5") == [], (call, error, done)
    assert {"open", "write", "close", "fsync", "rename"} <= seen


def test_a_fault_leaves_every_flushed_row(programs, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    target = folder / "s.h5"
    for call, error, done in every_fault([programs.stream, target, "10"], folder, lambda: empty(folder)):
        acknowledged = [int(number) for number in last_line(done.stdout).split()]
        assert done.returncode in (0, 1, 137), (call, error, done)
        assert "HDF5-DIAG" not in done.stderr
        if not acknowledged and not target.exists():
            continue
        (said,) = read(programs, target)
        kind, *found = said.split()
        assert kind == "stream", (call, error, said, done)
        assert all(int(n) >= least for n, least in zip(found, acknowledged)), (call, error, said, done)
        assert done.returncode or found == ["10"] * 3, (call, error, said, done)
