"""Checkpoints after kills, faults and full disks, and beside other savers: the newest that was told is found, whole.

The manifests are read here by a reader of their own, after docs/formats/checkpoint.md.
"""

import functools
import re
import shutil
import subprocess
from collections import Counter

import pytest
from faults import ERRORS, KILLED, every_fault
from kills import kill_in_folders

# saver FOLDER loop KEEP | once KEEP | times N KEEP SIZE | open | latest
SAVER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <within.h>

static void write_text(const char *path, long step, int size) {
    FILE *file = wi_check_null(fopen(path, "w"), "open %s", path);
    for (int i = 0; i < size; i++) fprintf(file, "%ld ", step);
    int failed = ferror(file);
    if (fclose(file) || failed) wi_raise(WI_DISK_FULL, "%s: it cannot be written", path);
}

/* A file, or a folder with one in it. */
static void write_state(const char *path, long step, int size) {
    char inner[5000];
    if (step % 2) {
        write_text(path, step, size);
        return;
    }
    wi_check_errno(mkdir(path, 0755), "make %s", path);
    snprintf(inner, sizeof inner, "%s/a\nb", path);
    write_text(inner, step, size);
}

static void save(wi_checkpoints *series, long step, int size) {
    char told[64];
    wi_checkpoint_save save = wi_checkpoint_save(series, .step = step, .metrics = {{"loss", (double)(step % 5)}});
    within (&save) write_state(save.path, step, size);
    int length = snprintf(told, sizeof told, "%ld\n", (long)save.sequence);
    if (write(1, told, (size_t)length) != length) abort();
}

int main(int count, char **arguments) {
    const char *how = arguments[2];
    int number = count > 3 ? atoi(arguments[3]) : 0, keep = count > 4 ? atoi(arguments[4]) : number;
    wi_checkpoint newest;
    wi_checkpoints series = wi_checkpoints(arguments[1], .keep = keep, .suffix = ".a b");
    if (strcmp(how, "latest") == 0) {
        printf("%ld\n", wi_checkpoint_latest(&series, &newest) ? (long)newest.sequence : 0L);
        return 0;
    }
    within (&series) {
        if (strcmp(how, "loop") == 0)
            for (long step = 1;; step++) save(&series, step, 20);
        else if (strcmp(how, "once") == 0)
            save(&series, 4, 3);
        else if (strcmp(how, "times") == 0)
            for (long step = 1; step <= number; step++) save(&series, step, atoi(arguments[5]));
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def saver(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("saver"), SAVER)


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


# ---- a reader of its own ----


@functools.cache
def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def unescaped(word):
    return re.sub(rb"\\x(..)", lambda found: bytes([int(found[1], 16)]), word).decode()


def read_manifest(path):
    text = path.read_bytes()
    lines, last = text[:-16], text[-16:]
    assert last == b"crc32c %08x\n" % crc32c(lines)
    version, *words = [line.split(b" ") for line in lines[:-1].split(b"\n")]
    assert version == [b"within", b"checkpoint", b"1"]
    return words


def parts_in(data):
    """What a manifest has to say of this file or folder."""
    for path in sorted([data, *data.rglob("*")], key=lambda path: bytes(path.relative_to(data))):
        name = str(path.relative_to(data))
        if path.is_dir():
            yield ["folder", name]
        else:
            yield ["file", "%08x" % crc32c(path.read_bytes()), str(path.stat().st_size), name]


def step_of(folder, manifest):
    """The step of a checkpoint that is whole, and has what belongs to its step."""
    words = read_manifest(manifest)
    said = {line[0]: line[1:] for line in words if line[0] not in (b"metric", b"file", b"folder")}
    step = int(said[b"step"][0])
    data = folder / unescaped(said[b"data"][0])
    assert manifest.name == f"checkpoint-{int(said[b'sequence'][0]):06}.manifest"
    assert [[unescaped(word) for word in line] for line in words if line[0] in (b"file", b"folder")] == [*parts_in(data)]
    assert [line for line in words if line[0] == b"metric"] == [[b"metric", b"loss", b"%d.0" % (step % 5)]]
    text = (data if data.is_file() else data / "a\nb").read_text().split()
    assert set(text) == {str(step)}
    return step


def published_in(folder):
    """The steps of what is published, by sequence; all are whole."""
    return {int(path.name[11:17]): step_of(folder, path) for path in sorted(folder.glob("checkpoint-*.manifest"))}


def expect_nothing_else(folder):
    """Nothing is in the folder but manifests, what they name, and the lock."""
    names = {path.name for path in folder.iterdir()} - {".checkpoints.lock"}
    wanted = {f"checkpoint-{sequence:06}{end}" for sequence in published_in(folder) for end in (".manifest", ".a b")}
    assert names == wanted


# ---- kills ----


def expect_told_is_found(saver, folder, told):
    """The newest is whole, and not older than what was told last; none is passed over."""
    done = run(saver, folder, "latest")
    assert done.stderr == ""
    assert int(done.stdout) >= told
    assert int(done.stdout) == max(published_in(folder), default=0)


def test_a_kill_at_any_moment_leaves_the_newest_that_was_told(saver, within, tmp_path):
    folders, published = [tmp_path / str(i) for i in range(2)], Counter()
    for folder in folders:
        folder.mkdir()
    deaths = kill_in_folders([saver, "ckpt", "loop", "2"], folders, 200, 5, 0.03, lambda folder: None)
    for death in deaths:
        folder = death.folder / "ckpt"
        if not folder.exists():
            continue
        told = [int(line) for line in death.output.split()]
        expect_told_is_found(saver, folder, max(told, default=0))
        if death.number // 2 % 2:
            run(saver, folder, "open")
        else:
            run(within, "clean", folder)
        expect_nothing_else(folder)
        expect_told_is_found(saver, folder, max(told, default=0))
        published[folder] += len(told)
    assert min(published.values()) > 0
    for folder in published:
        run(saver, folder, "times", 1, 2, 20)
        assert len(published_in(folder)) == 2


# ---- faults ----


@pytest.fixture
def prepared(saver, tmp_path):
    """A function that makes a folder hold the checkpoints 2 and 3, and nothing else."""
    kept, folder = tmp_path / "kept", tmp_path / "under" / "ckpt"
    run(saver, kept, "times", 3, 2, 3)
    assert published_in(kept) == {2: 2, 3: 3}
    folder.parent.mkdir()

    def reset():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)

    return folder, reset


# What is made good: the checkpoint is published.
HARMLESS = {"EINTR", "short"}
# A kill right before a call that changes nothing on the disk is one before the next that does.
SOME = {**ERRORS, "open": ["EACCES", "EINTR"], "close": ["EIO"], "lock": ["ENOLCK", "EINTR"], "fsync": ["EIO", "kill"]}
LASTING = {name: [error for error in ERRORS[name] if error in ("EIO", "EACCES")] for name in ERRORS}


@pytest.mark.parametrize(
    "errors, from_on",
    [(SOME, False), (LASTING, True), pytest.param(ERRORS, False, marks=pytest.mark.long)],
    ids=["some", "lasting", "all"],
)
def test_whatever_fails_the_old_are_there_or_the_new_too(saver, within, prepared, errors, from_on):
    folder, reset = prepared
    refused = 0
    command = [saver, folder, "once", "2"]
    for call, error, done in every_fault(command, folder.parent, reset, errors=errors, from_on=from_on):
        where = (call, error, done.stderr)
        newest = max(published_in(folder))
        assert newest in ((4,) if done.stdout else (3, 4)), where
        assert 3 in published_in(folder), where
        assert int(run(saver, folder, "latest").stdout) == newest, where
        if done.returncode == 0:
            assert done.stdout == "4\n" and (call.name != "fsync" or error in HARMLESS), where
        elif done.returncode != KILLED:
            assert done.returncode == 1 and str(folder) in done.stderr and not done.stdout, where
            assert error not in HARMLESS or "/checkpoint.a b" in call.path, where  # which the program opens, too
            assert newest == 3 or from_on, where
            refused += 1
        run(within, "clean", folder) if call.number % 2 else run(saver, folder, "open")
        expect_nothing_else(folder)
        assert newest == max(published_in(folder)), where
    assert refused > 20


def test_whatever_cannot_be_read_or_looked_at_is_told(saver, prepared):
    folder, reset = prepared
    errors = {"read": ("EIO",), "stat": ("EIO",)}
    command = [saver, folder, "once", "2"]
    for call, error, done in every_fault(command, folder.parent, reset, errors=errors, with_reads=True, with_stats=True):
        where = (call, error, done.stderr)
        assert int(run(saver, folder, "latest").stdout) == (4 if done.stdout else 3), where
        assert done.returncode in (0, 1), where
        assert done.returncode == 0 or "Input/output error" in done.stderr, where
        run(saver, folder, "open")
        expect_nothing_else(folder)


def test_searching_fails_clearly_or_passes_over(saver, prepared):
    folder, reset = prepared
    errors = {"open": ("EACCES", "EMFILE", "EINTR"), "read": ("EIO", "EINTR"), "stat": ("EIO",), "close": ("EIO",)}
    command = [saver, folder, "latest"]
    for call, error, done in every_fault(command, folder.parent, reset, errors=errors, with_reads=True, with_stats=True):
        where = (call, error, done.stderr)
        if done.returncode == 0 and not done.stderr:
            assert done.stdout == "3\n", where
        elif done.returncode == 0:
            assert done.stdout == "2\n" and "checkpoint-000003" in done.stderr and "is passed over" in done.stderr, where
        else:
            assert done.returncode == 1 and str(folder) in done.stderr, where


def in_a_tiny_file_system(folder, script):
    """Run a script with a file system of 400 KB at this folder."""
    folder.mkdir()
    script = f"mount -t tmpfs -o size=400k none {folder} || exit\n{script}\necho done\n"
    try:
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if "done" not in done.stdout:
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    return done


def test_a_full_disk_is_told_and_leaves_the_old(saver, tmp_path):
    folder = tmp_path / "disk"
    done = in_a_tiny_file_system(
        folder,
        f"{saver} {folder}/ckpt times 1 1 50000; {saver} {folder}/ckpt times 1 1 200000\n"
        f"{saver} {folder}/ckpt latest; ls -A {folder}/ckpt; {saver} {folder}/ckpt times 1 1 50000",
    )
    names = ".checkpoints.lock\ncheckpoint-000001.a b\ncheckpoint-000001.manifest\n"
    assert done.stdout == f"1\n1\n{names}2\ndone\n"
    assert "it cannot be written" in done.stderr and "No space left" not in done.stdout


# ---- others ----


def test_two_processes_save_into_one_series(saver, tmp_path):
    folder = tmp_path / "ckpt"
    command = [saver, folder, "times", "40", "-1", "20"]
    savers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [[int(line) for line in each.communicate(timeout=60)[0].split()] for each in savers]
    assert sorted(told[0] + told[1]) == [*range(1, 81)]
    assert all(each == sorted(each) for each in told)
    assert sorted(published_in(folder)) == [*range(1, 81)]
    expect_nothing_else(folder)


def test_a_reader_finds_a_whole_one_while_others_save_and_remove(saver, tmp_path):
    folder = tmp_path / "ckpt"
    run(saver, folder, "times", 1, 1, 20)
    command = [saver, folder, "times", "150", "1", "20"]
    savers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    newest = 0
    while any(each.poll() is None for each in savers):
        done = run(saver, folder, "latest")
        assert done.stderr == "" and int(done.stdout) >= max(newest, 1)
        newest = int(done.stdout)
    assert [each.returncode for each in savers] == [0, 0]
    assert sorted(published_in(folder)) == [301]
    expect_nothing_else(folder)
