"""Atomic files after kills, faults, full disks and beside other writers: old content or new, and nothing lies about."""

import os
import re
import subprocess
import sys
import time

import pytest
from faults import KILLED, calls, every_fault
from kills import kill_at_random

# What a process leaves behind when it is killed: only this.
OWNED = re.compile(r"\.out\.within-(\d+)-\d+-[0-9a-f]{8}-[0-9a-f]{8}-\d+")

# Writes versions of a text, all bytes of one the same letter; or does what its arguments say once.
WRITER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <within.h>

static void write_letters(FILE *stream, int letter, int kilobytes) {
    static char letters[1024];
    memset(letters, letter, sizeof letters);
    for (int i = 0; i < kilobytes; i++) fwrite(letters, 1, sizeof letters, stream);
}

static void write_file(const char *path, int letter, int kilobytes, wi_atomic_file_options options) {
    wi_atomic_file manager = wi_atomic_file(path);
    manager.options = options;
    within (file, manager) {
        write_letters(file->stream, letter, kilobytes);
        if (getenv("RAISE")) wi_raise(WI_VALUE_ERROR, "enough");
    }
}

static void write_at_path(const char *path, int letter, int kilobytes) {
    within (file, wi_atomic_path(path)) {
        within (made, wi_file(file->temporary, "w")) write_letters(made->stream, letter, kilobytes);
        if (getenv("RAISE")) wi_raise(WI_VALUE_ERROR, "enough");
    }
}

int main(int count, char **arguments) {
    const char *path = arguments[1], *how = count > 2 ? arguments[2] : "";
    int kilobytes = count > 3 ? atoi(arguments[3]) : 10;
    wi_atomic_file_options none = {0, 0, 0, 0}, sized = {20000, 0640, 0, 0}, new_one = {0, 0, 0, 1};
    if (strcmp(how, "file") == 0) write_file(path, 'n', kilobytes, none);
    else if (strcmp(how, "sized") == 0) write_file(path, 'n', kilobytes, sized);
    else if (strcmp(how, "new") == 0) write_file(path, 'n', kilobytes, new_one);
    else if (strcmp(how, "path") == 0) write_at_path(path, 'n', kilobytes);
    else
        for (int i = 0;; i++) {
            write_file(path, 'a' + i % 13, 1 + i % 13, none);
            write_at_path(path, 'n' + i % 13, 14 + i % 13);
        }
    return 0;
}
"""

PYTHON_WRITER = """
import os, sys
import within as wi
def write(how, path):
    if how == "file":
        with wi.atomic_file(path, "wb", size=20_000) as file:
            for _ in range(10):
                file.write(b"n" * 1024)
            if "RAISE" in os.environ: raise ValueError("enough")
    else:
        with wi.atomic_path(path) as temporary, open(temporary, "wb") as file:
            file.write(b"n" * 10240)
            file.close()
            if "RAISE" in os.environ: raise ValueError("enough")
try:
    write(sys.argv[1], sys.argv[2])
except (OSError, ValueError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""

OLD, NEW = b"old", b"n" * 10240
# Calls whose failure must not pass unseen, and what is none.
MATTER = {"write", "fsync", "rename", "truncate", "chmod", "fallocate"}
FAILURES = {"ENOSPC", "EIO", "EACCES", "EPERM"}
# What is done again, done otherwise or not needed: the file is published all the same.
HARMLESS = {("open", "EINTR"), ("fsync", "EINTR"), ("close", "EINTR"), ("truncate", "EINTR"), ("fallocate", "EINTR"),
            ("fallocate", "EOPNOTSUPP"), ("write", "short"), ("lock", "ENOLCK"), ("lock", "EINTR")}  # fmt: skip


@pytest.fixture(scope="module")
def writer(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("writer"), WRITER)


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "out"


def is_whole(content):
    """Whether it is one version: all of a letter, and as many as belong to it."""
    letter = content[:1]
    return content in (OLD, letter * 1024 * (ord(letter or b"?") - ord("a") + 1))


def leftovers(folder):
    names = [entry.name for entry in folder.iterdir() if entry.name != "out"]
    assert all(OWNED.fullmatch(name) for name in names), names
    return names


def empty(folder):
    for entry in folder.iterdir():
        entry.unlink()


# ---- kills ----


def test_200_kills_leave_the_old_content_or_the_new(writer, target):
    contents, left = set(), 0

    def reset():
        empty(target.parent)
        target.write_bytes(OLD)

    for death in kill_at_random([writer, target], times=200, seed=1, longest_s=0.04, reset=reset):
        content = target.read_bytes()
        assert death.status == -9 and is_whole(content), (death, content[:20], len(content))
        assert len(leftovers(target.parent)) <= 1, death
        left += len(leftovers(target.parent))
        contents.add(content[:1])
    # The moments were such that something could have gone wrong.
    assert len(contents) > 3 and left > 20


def test_what_a_kill_leaves_is_cleaned_away_and_what_is_being_written_is_not(writer, target, within):
    def reset():
        target.write_bytes(OLD)

    for call, _, _ in every_fault([writer, target, "file"], target.parent, reset, errors={"rename": ("kill",)}):
        assert len(leftovers(target.parent)) == 1, call
    living = subprocess.Popen([writer, target])
    try:
        for _ in range(20):
            subprocess.run([within, "clean", target.parent], check=True, capture_output=True)
        assert living.poll() is None
    finally:
        living.kill()
        living.wait()
    subprocess.run([within, "clean", target.parent], check=True, capture_output=True)
    assert not leftovers(target.parent) and is_whole(target.read_bytes())


# ---- a fault in every call ----


def expect_old_or_new(target, call, error, done, old):
    """After one fault: whole, and said to be what it is; only what could not be removed is left."""
    fault, content = f"{error} at {call}: {done.returncode} {done.stderr}", None
    if target.exists():
        content = target.read_bytes()
    left = leftovers(target.parent)
    assert content in (old, NEW), fault
    assert done.returncode == 0 or (call.name, error) not in HARMLESS, fault
    if done.returncode == KILLED:
        return
    assert len(left) == (call.name == "unlink"), fault
    assert bool(left) == ("is left behind: " in done.stderr), fault
    if done.returncode == 0:
        assert content == NEW, fault
        assert error not in FAILURES or call.name not in MATTER, fault
    else:
        # What a block of wi_atomic_path does by itself has errors of its own, which need not know the target.
        by_itself = "path" in done.args and call.name in ("open", "write", "close", "stat")
        assert by_itself or str(target) in done.stderr, fault
        assert (content == NEW) == ("the new content is in place" in done.stderr), fault


@pytest.mark.parametrize("how", ["file", "sized", "new", "path"])
def test_a_fault_in_any_call_leaves_the_old_content_or_the_new(writer, target, how):
    old = None if how == "new" else OLD

    def reset():
        empty(target.parent)
        if old:
            target.write_bytes(old)

    names = set()
    command = [writer, target, how]
    for call, error, done in every_fault(command, target.parent, reset, with_stats=True):
        expect_old_or_new(target, call, error, done, old)
        if call.name == "close" and error in FAILURES:  # of the folder it means nothing
            assert (done.returncode == 0) == (call.path == "."), (call, error)
        names.add(call.name)
    assert names >= {"open", "write", "fsync", "close", "rename", "stat"}
    assert how != "sized" or names >= {"fallocate", "truncate", "chmod"}


@pytest.mark.parametrize("how", ["file", "path"])
def test_the_content_is_synced_before_the_rename_and_the_folder_after_it(writer, target, how):
    made = calls([writer, target, how], target.parent)
    *_, last_write = [number for number, call in enumerate(made) if call.name == "write"]
    after = [(call.name, call.path) for call in made[last_write + 1 :] if call.name in ("fsync", "rename")]
    (name, temporary), *rest = after
    assert name == "fsync" and OWNED.fullmatch(temporary)
    assert rest == [("rename", "out"), ("fsync", ".")]


@pytest.mark.parametrize("how", ["file", "path"])
def test_a_fault_while_it_is_discarded_leaves_the_old_content(writer, target, how):
    def reset():
        empty(target.parent)
        target.write_bytes(OLD)

    environment = {**os.environ, "RAISE": "1"}
    command = ["sh", "-c", '"$@" 2>&1; true', "sh", writer, target, how]
    unlinked = 0
    for call, error, done in every_fault(command, target.parent, reset, env=environment):
        assert target.read_bytes() == OLD, (call, error)
        assert done.returncode == KILLED or len(leftovers(target.parent)) == (call.name == "unlink"), (call, error)
        unlinked += call.name == "unlink"
    assert unlinked


def test_a_failed_sync_of_the_folder_says_that_the_new_content_is_there(writer, target):
    target.write_bytes(OLD)
    errors = {"fsync": ("EIO",)}
    *_, (call, _, done) = every_fault([writer, target, "file"], target.parent, lambda: None, errors=errors)
    assert call.path == "."
    assert done.stderr.splitlines()[1] == (
        f"WI_OS_ERROR: {target}: the new content is in place, but its folder cannot be synced, "
        "and a power cut may bring back the old: Input/output error"
    )


def test_without_such_a_rename_a_link_is_as_exclusive(writer, target):
    def reset():
        empty(target.parent)

    for _, _, done in every_fault(
        [writer, target, "new"], target.parent, reset, errors={"rename": ("EINVAL", "ENOSYS")}
    ):
        assert done.returncode == 0, done.stderr
        assert [call.name for call in done.calls if call.name in ("rename", "link", "unlink")][1:] == ["link", "unlink"]
        assert target.read_bytes() == NEW and not leftovers(target.parent)


# ---- in Python ----


@pytest.fixture
def python(build):
    """The command of a script under the package of this build."""
    environment = {**os.environ, "PYTHONPATH": str(build / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    if subprocess.run([sys.executable, "-c", "import within"], env=environment, capture_output=True).returncode != 0:
        pytest.skip(f"{sys.executable} has no extension module in {build}/site")
    return environment


@pytest.mark.parametrize("how", ["file", "path"])
def test_a_fault_in_any_call_of_python_leaves_the_old_content_or_the_new(python, target, how):
    def reset():
        empty(target.parent)
        target.write_bytes(OLD)

    # Kills are the core's, and reads none of its calls; an interpreter takes its time to start.
    errors = {
        "open": ("EACCES",), "write": ("ENOSPC", "EINTR", "short"), "fsync": ("EIO",), "close": ("EIO",),
        "rename": ("EACCES",), "fallocate": ("ENOSPC", "EOPNOTSUPP"), "chmod": ("EPERM",), "truncate": ("EIO",),
    }  # fmt: skip
    command = [sys.executable, "-S", "-c", PYTHON_WRITER, how, target]
    names = set()
    for call, error, done in every_fault(command, target.parent, reset, errors=errors, env=python):
        expect_old_or_new(target, call, error, done, OLD)
        names.add(call.name)
    assert names >= {"open", "write", "fsync", "close", "rename"}


# ---- other writers ----


def test_of_two_writers_on_one_target_each_content_is_whole(writer, target):
    target.write_bytes(OLD)
    writers = [subprocess.Popen([writer, target]) for _ in range(2)]
    try:
        seen, end = set(), time.monotonic() + 0.7
        while time.monotonic() < end:
            content = target.read_bytes()
            assert is_whole(content), (content[:20], len(content))
            seen.add(content)
        assert all(each.poll() is None for each in writers)
    finally:
        for each in writers:
            each.kill()
            each.wait()
    assert len(seen) > 5


# ---- file systems ----


def in_a_mount(script, tmp_path):
    """Run a script of the shell as one who may mount; what it printed, both streams, without its last line."""
    try:
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c", f"{script}\necho finished"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path, timeout=60,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if "finished" not in done.stdout:
        pytest.skip(f"this machine allows no mounts: {done.stdout}")
    return done.stdout.rpartition("finished")[0]


@pytest.mark.parametrize("how", ["file", "sized", "path"])
def test_a_full_disk_leaves_the_old_file_and_no_other(writer, tmp_path, how):
    (tmp_path / "disk").mkdir()
    said = in_a_mount(
        "mount -t tmpfs -o size=100k none disk || exit\n"
        f"printf old >disk/out; {writer} disk/out {how} 1000; echo status $?; ls -A disk; cat disk/out; echo", tmp_path
    )  # fmt: skip
    assert said.endswith("\nstatus 1\nout\nold\n"), said
    assert re.search(r"out\S*: (cannot be written: No space|an earlier read or write of it)", said), said


def test_room_that_is_missing_is_found_at_the_begin(writer, tmp_path):
    (tmp_path / "disk").mkdir()
    said = in_a_mount(
        "mount -t tmpfs -o size=12k none disk || exit\n"
        f"printf old >disk/out; {writer} disk/out sized 0; echo status $?; ls -A disk; cat disk/out; echo", tmp_path
    )  # fmt: skip
    assert "WI_DISK_FULL: disk/out: no space can be reserved: No space left on device\n" in said
    assert said.endswith("\nstatus 1\nout\nold\n"), said


@pytest.mark.parametrize("how", ["file", "path"])
def test_a_read_only_disk_is_refused_at_the_begin(writer, tmp_path, how):
    (tmp_path / "disk").mkdir()
    said = in_a_mount(
        "mount -t tmpfs none disk && printf old >disk/out && mount -o remount,ro disk || exit\n"
        f"{writer} disk/out {how}; {writer} disk/other {how}", tmp_path
    )  # fmt: skip
    assert "disk/out: must not be written: Read-only file system\n" in said
    assert "disk/other: its folder must not be written: Read-only file system\n" in said


def test_a_file_that_is_a_mount_point_is_named_as_such(writer, tmp_path):
    (tmp_path / "other").write_text("other")
    (tmp_path / "out").write_text("old")
    said = in_a_mount(
        f"mount --bind other out || exit\n{writer} out file; echo status $?; ls -A; cat out other; echo", tmp_path
    )  # fmt: skip
    assert "WI_BUSY_ERROR: out: cannot be renamed over: is it a mount point?: Device or resource busy\n" in said
    assert said.endswith("status 1\nother\nout\notherother\n"), said
