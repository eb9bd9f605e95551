"""Scratch directories of processes that are killed, that suffer faults, and that meet each other."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from faults import KILLED, every_fault
from kills import kill_in_folders

# Makes scratch directories in the folder ROUNDS times, and fills each; an error is printed, and its kind is the status.
PROGRAM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <within.h>

static void write_file(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = wi_check_null(fopen(path, "w"), "open %s", name);
    fputs("text", file);
    fclose(file);
}

static void fill(const char *folder) {
    char path[4096];
    write_file(folder, "file");
    snprintf(path, sizeof path, "%s/sub", folder);
    wi_check_errno(mkdir(path, 0700), "mkdir sub");
    write_file(path, "one");
    write_file(path, "two");
    snprintf(path, sizeof path, "%s/sub/link", folder);
    wi_check_errno(symlink("../../../outside", path), "symlink");
    snprintf(path, sizeof path, "%s/sub", folder);
    wi_check_errno(chmod(path, 0500), "chmod sub");
}

int main(int argc, char **argv) {
    for (int round = 0; round < atoi(argv[2]); round++) {
        wi_try {
            within (dir, wi_tempdir(.parent = argv[1])) {
                if (argc > 3) execl("/bin/sh", "sh", "-c", argv[3], "sh", dir->path, (char *)NULL);
                fill(dir->path);
            }
        } wi_catch (WI_OS_ERROR, error) {
            printf("%s\n", wi_error_message(error));
            return 9;
        }
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("program"), PROGRAM)


@pytest.fixture
def clean(within):
    """A function that calls `within clean` for the scratch directories in a folder."""

    def call(folder, *words):
        environment = {**os.environ, "TMPDIR": str(folder)}
        done = subprocess.run(
            [within, "clean", *words, "--", folder], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout

    return call


class Place:
    """A folder for scratch directories with neighbours in it, and what nobody may touch beside it."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder / "parent"
        self.folder.mkdir()
        (folder / "outside").mkdir()
        (folder / "outside/file").write_text("kept")
        (self.folder / "neighbour").mkdir()
        (self.folder / "neighbour/file").write_text("kept")
        (self.folder / "within.within-notes").write_text("kept")
        self.before = self.now()

    def now(self):
        """All paths, and the text of the files."""
        paths = sorted(self.folder.parent.rglob("*"))
        return {str(path): path.is_file() and not path.is_symlink() and path.read_text() for path in paths}

    def is_as_before(self):
        return self.now() == self.before


def test_a_clean_after_each_of_200_kills_leaves_nothing(program, clean, tmp_path):
    """Or the next start does, after every second one."""
    places = {folder: Place(folder) for folder in (tmp_path / str(i) for i in range(4))}
    killed_with_some = 0
    command = [program, "parent", "1000000"]
    for death in kill_in_folders(command, list(places), 200, 1, 0.03, lambda folder: None):
        place = places[death.folder]
        assert death.status == -9, death
        killed_with_some += not place.is_as_before()
        if death.number % 2:
            subprocess.run([program, place.folder, "1"], check=True, timeout=60)
        else:
            clean(place.folder)
        assert place.is_as_before(), (death, place.now())
    assert killed_with_some > 50


def test_every_fault_is_told_or_without_effect_and_leaves_nothing_after_a_clean(program, clean, tmp_path):
    place = Place(tmp_path / "place")
    told = 0
    for call, error, done in every_fault([program, place.folder, "1"], place.folder, lambda: None, with_stats=True):
        happened = (call, error, done.stdout, done.stderr)
        if error == "kill":
            assert done.returncode == KILLED, happened
        elif done.returncode == 0:
            assert place.is_as_before(), happened
        else:
            assert done.returncode == 9 and os.strerror(getattr(errno, error)) in done.stdout, happened
            assert str(place.folder) in done.stdout or done.stdout.startswith(("open", "mkdir", "symlink", "chmod"))
            told += 1
        clean(place.folder)
        assert place.is_as_before(), happened
    assert told > 10


def test_faults_that_last_are_told_too(program, clean, tmp_path):
    place = Place(tmp_path / "place")
    errors = {name: ("EIO",) for name in ("open", "unlink", "rmdir", "mkdir")}
    command = [program, place.folder, "1"]
    for call, error, done in every_fault(command, place.folder, lambda: None, errors=errors, from_on=True, steady=False):
        assert done.returncode == 9 and "Input/output error" in done.stdout, (call, error, done)
        clean(place.folder)
        assert place.is_as_before(), (call, error)


def test_every_fault_of_a_clean_leaves_the_rest_for_the_next(program, within, clean, tmp_path):
    """Whatever fails is told, its owner file stays last, and nothing else is touched."""
    place = Place(tmp_path / "place")

    def leave_some():
        clean(place.folder)
        script = 'touch "$1/file"; mkdir "$1/sub"; touch "$1/sub/file"; kill -9 $$'
        subprocess.run([program, place.folder, "1", script], timeout=60)
        assert not place.is_as_before()

    environment = {**os.environ, "TMPDIR": str(place.folder)}
    command = [within, "clean", place.folder / "neighbour"]
    for call, error, done in every_fault(command, place.folder, leave_some, steady=False, env=environment):
        left = not place.is_as_before()
        assert done.returncode in (0, 1, KILLED), (call, error, done)
        if done.returncode == 0:
            assert not left, (call, error, done)
        if left:
            assert list(place.folder.glob(".within.within-*")), (call, error)
        clean(place.folder)
        assert place.is_as_before(), (call, error)


def test_processes_and_cleans_at_the_same_time_do_not_meet(program, within, tmp_path):
    place = Place(tmp_path / "place")
    environment = {**os.environ, "TMPDIR": str(place.folder)}
    workers = [subprocess.Popen([program, place.folder, "300"], stdout=subprocess.PIPE) for _ in range(3)]
    while any(worker.poll() is None for worker in workers):
        done = subprocess.run([within, "clean", place.folder], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done
        assert "removed nothing" in done.stdout, done.stdout
    for worker in workers:
        assert worker.communicate()[0] == b"" and worker.returncode == 0
    assert place.is_as_before()


def test_a_program_that_became_another_one_still_owns_it(program, clean, tmp_path):
    """exec closes the owner file, and its lock is gone; the process lives."""
    place = Place(tmp_path / "place")
    script = 'touch "$1/file"; echo; read answer; test -e "$1/file"'
    process = subprocess.Popen([program, place.folder, "1", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    assert "removed nothing" in clean(place.folder)
    subprocess.run([program, place.folder, "1"], check=True)
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0
    clean(place.folder)
    assert place.is_as_before()


def test_in_cpp_it_reads_the_same(compile_c, tmp_path):
    source = r"""
#include <cstdio>
#include <unistd.h>
#include <within.h>
int main() {
    within (dir, wi_tempdir()) std::puts(dir->path);
    within (dir, wi_tempdir(.prefix = "fft", .parent = ".", .keep_on_error = 1)) {
        if (access(dir->path, F_OK) != 0) return 1;
    }
    wi_use(wi_tempdir());
    return 0;
}
"""
    program = compile_c(tmp_path, source, "-Wshadow", "-Werror", "-xc++")
    folder = tmp_path / "parent"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run([program], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and Path(done.stdout.strip()).parent == folder
    assert list(folder.iterdir()) == []
