"""within clean: what dead processes left is removed, all else stays, and each thing is said."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
DEAD = "of process {pid} (dead)"

# Prints the tail of its own names, for the tests to change: ".within-PID-START-BOOT-HOST-N". Then waits.
NAMES = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <within.h>

int main(int argc, char **argv) {
    within (dir, wi_tempdir(.parent = argv[1])) {
        if (argc > 2 && fork() == 0) pause();
        puts(strstr(dir->path, ".within-"));
        fflush(stdout);
        pause();
    }
}
"""


@pytest.fixture(scope="module")
def owner(compile_c, tmp_path_factory):
    """The program that makes a scratch directory in a folder, prints its name's tail, and waits."""
    return compile_c(tmp_path_factory.mktemp("owner"), NAMES)


@pytest.fixture
def scratch(tmp_path):
    """$TMPDIR, an empty folder."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def here(tmp_path):
    """The working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def clean(within, here, scratch):
    """A function that calls `within clean` in the working folder: its status and lines."""

    def call(*words, cwd=here, **environment):
        done = subprocess.run(
            [within, "clean", *words],
            cwd=cwd,
            env={**os.environ, "TMPDIR": str(scratch), "TZ": "UTC", **environment},
            capture_output=True,
            timeout=60,
        )
        done.lines = os.fsdecode(done.stdout).splitlines()
        done.errors = os.fsdecode(done.stderr)
        return done

    return call


class Token:
    """The tail of an owned name."""

    def __init__(self, text):
        _, self.mark, self.pid, self.start, self.boot, self.host, self.number = re.split(r"[.-]", text.strip())

    def __call__(self, **changed):
        values = {**vars(self), **changed}
        return ".within-" + "-".join(str(values[name]) for name in ("pid", "start", "boot", "host", "number"))


@pytest.fixture(scope="module")
def token(owner, tmp_path_factory):
    """The Token of a process that is dead."""
    folder = tmp_path_factory.mktemp("token")
    process = start(owner, folder)
    end(process)
    shutil.rmtree(folder)
    return Token(process.name)


def start(owner, folder, *words):
    process = subprocess.Popen([owner, folder, *words], stdout=subprocess.PIPE, text=True)
    process.name = process.stdout.readline()
    assert process.name.startswith(".within-")
    return process


def end(process):
    process.kill()
    process.communicate()


def make_scratch(folder, token, text="text"):
    """A scratch directory with an owner file."""
    (folder / f".fft{token}").write_text("within scratch directory\n")
    directory = folder / f"fft{token}"
    (directory / "a/b").mkdir(parents=True)
    (directory / "a/b/file").write_text(text)
    (directory / "link").symlink_to("/etc/passwd")
    return directory


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


# ---- what goes ----


def test_a_killed_process_leaves_nothing_after_a_clean(clean, owner, scratch, here):
    process = start(owner, scratch)
    (directory,) = scratch.glob("within.*")
    (directory / "file").write_text("x" * 1500)
    end(process)
    done = clean()
    assert (done.returncode, done.errors) == (0, "")
    assert done.lines == [
        f"removed scratch directory {directory} of process {process.pid} (dead), 1 file, 1.50 kB",
        "looked at 2 folders; removed 1 scratch directory: 1 file, 1.50 kB",
    ]
    assert names(scratch) == names(here) == []
    assert clean().lines == ["looked at 2 folders; removed nothing"]


def test_unfinished_files_and_folders_go_wherever_they_lie(clean, here, token):
    (here / "results/deep").mkdir(parents=True)
    (here / "results/ber.csv").write_text("snr,ber\n")
    (here / f"results/.ber.csv{token()}").write_text("snr\n")
    (here / f"results/deep/.step 1{token()}").mkdir()
    (here / f"results/deep/.step 1{token()}/data").write_text("12")
    (here / f".link{token()}").symlink_to("results")
    make_scratch(here, token(number=7))
    done = clean()
    dead = DEAD.format(pid=token.pid)
    assert (done.returncode, done.errors) == (0, "")
    assert sorted(done.lines) == sorted(
        [
            f"removed unfinished file results/.ber.csv{token()} {dead}, 4 B",
            f"removed unfinished folder results/deep/.step 1{token()} {dead}, 1 file, 2 B",
            f"removed unfinished file .link{token()} {dead}, 0 B",
            f"removed scratch directory fft{token(number=7)} {dead}, 2 files, 4 B",
            "looked at 4 folders; removed 1 scratch directory, 3 unfinished files and folders: 5 files, 10 B",
        ]
    )
    assert names(here) == ["results", "results/ber.csv", "results/deep"]


def test_only_given_folders_are_looked_through(clean, tmp_path, here, scratch, token):
    other = tmp_path / "other"
    other.mkdir()
    for folder in here, other, scratch:
        (folder / f".a{token()}").write_text("a")
    done = clean("../other")
    assert done.lines[0].startswith(f"removed unfinished file ../other/.a{token()} ")
    assert done.lines[1] == "looked at 2 folders; removed 1 unfinished file or folder: 1 file, 1 B"
    assert names(other) == [] and len(names(here)) == len(names(scratch)) == 1
    assert clean(str(scratch), str(here) + "/").lines[:2] == [
        f"removed unfinished file {folder}/.a{token()} {DEAD.format(pid=token.pid)}, 1 B" for folder in (scratch, here)
    ]


@pytest.mark.parametrize("parent", ["with space", "line\nbreak", "é", "%s", "-rf"])
def test_folders_may_have_any_name(clean, here, token, parent):
    (here / parent).mkdir()
    make_scratch(here / parent, token())
    done = clean(TMPDIR=parent)
    shown = parent.replace("\n", r"\x0a")
    assert done.lines[0].startswith(f"removed scratch directory {shown}/fft{token()} ")
    assert names(here) == [parent]
    make_scratch(here / parent, token())
    assert clean("--", parent).lines[0].startswith(f"removed scratch directory {shown}/fft{token()} ")
    assert names(here) == [parent]


def test_a_dry_run_says_the_same_and_touches_nothing(clean, here, scratch, token):
    make_scratch(scratch, token())
    make_scratch(here, token(number=2))
    (here / f".a{token(number=3)}").write_text("a")
    (here / f"fft{token(number=2)}" / f".inner{token(number=4)}").write_text("in a scratch directory: counted there")
    before = names(here) + names(scratch)
    dry = clean("--dry-run")
    assert names(here) + names(scratch) == before and dry.returncode == 0
    done = clean()
    assert [line.replace("would remove", "removed") for line in dry.lines] == done.lines
    assert names(here) == names(scratch) == []


def test_a_tmpdir_that_is_looked_through_too_is_told_once(clean, scratch, token):
    make_scratch(scratch, token())
    (scratch / f".a{token()}").write_text("a")
    done = clean("--dry-run", cwd=scratch)
    assert len(done.lines) == 3
    assert "would remove 1 scratch directory, 1 unfinished file or folder" in done.lines[-1]


@pytest.mark.parametrize("changed", [{"start": 1}, {"boot": "00000000"}], ids=str)
def test_a_pid_used_again_and_another_boot_are_dead(clean, scratch, token, changed):
    make_scratch(scratch, token(pid=os.getpid(), **changed))
    assert clean().returncode == 0
    assert names(scratch) == []


def test_an_owner_whose_forked_child_lives_is_dead(clean, owner, scratch):
    process = subprocess.Popen([owner, scratch, "fork"], stdout=subprocess.PIPE, text=True, start_new_session=True)
    process.stdout.readline()
    process.kill()
    process.wait()
    try:
        assert "1 scratch directory" in clean().lines[-1]
        assert names(scratch) == []
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def test_deep_trees_and_closed_folders(clean, here, token):
    top = here / f".deep{token()}"
    top.mkdir()
    subprocess.run(
        [sys.executable, "-c", "import os\nfor i in range(5000): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0o500)"],
        cwd=top,
        check=True,
    )
    assert clean().returncode == 0
    assert names(here) == []


# ---- what stays ----


def test_the_living_stay_in_silence(clean, owner, scratch, here):
    processes = [start(owner, scratch), start(owner, here)]
    try:
        before = names(scratch) + names(here)
        done = clean()
        assert done.lines == ["looked at 2 folders; removed nothing"] and done.returncode == 0
        (directory,) = scratch.glob("within.*")
        assert clean("--verbose").lines[0] == f"left scratch directory {directory} of process {processes[0].pid}: it is alive"
        assert names(scratch) + names(here) == before
    finally:
        for process in processes:
            end(process)


@pytest.mark.parametrize("changed", [{"host": "ffffffff"}, {"host": "ffffffff", "boot": "00000000"}], ids=str)
def test_those_of_other_hosts_stay_and_are_said(clean, scratch, here, token, changed):
    make_scratch(scratch, token(**changed))
    (here / f".a{token(**changed)}").write_text("a")
    before = names(scratch) + names(here)
    done = clean()
    why = f"of process {token.pid}: it ran on another host, or in another container"
    assert done.lines == [
        f"left scratch directory {scratch}/fft{token(**changed)} {why}",
        f"left unfinished file .a{token(**changed)} {why}",
        "looked at 2 folders; removed nothing; left 2",
    ]
    assert names(scratch) + names(here) == before and done.returncode == 0


def test_names_that_only_look_alike_stay(clean, scratch, here, token):
    for folder in scratch, here:
        (folder / f"fft{token()}").mkdir()  # a scratch directory that was kept, or copied: it has no owner file
        (folder / f"fft{token()}/file").write_text("kept")
        (folder / f"a{token()}").write_text("no dot")
        (folder / f".a{token()}x").write_text("")
        (folder / ".within-").write_text("")
        (folder / ".a.within-1-2-3-4-5").write_text("")
    before = names(scratch) + names(here)
    assert clean("--verbose").lines == ["looked at 3 folders; removed nothing"]
    assert names(scratch) + names(here) == before


def test_links_are_not_followed(clean, tmp_path, here, token):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f".a{token()}").write_text("a")
    (outside / "file").write_text("kept")
    before = names(outside)
    (here / "link").symlink_to(outside)
    (here / f".folder{token()}").symlink_to(outside)
    (here / f".file{token()}").symlink_to(outside / "file")
    (here / f".fft{token()}").symlink_to(outside / "file")  # in place of an owner file
    (here / f"fft{token()}").mkdir()
    (here / f".inside{token()}").mkdir()
    (here / f".inside{token()}/link").symlink_to(outside)
    assert clean().returncode == 0
    assert names(here) == [f"fft{token()}", "link"] and names(outside) == before
    assert (outside / "file").read_text() == "kept"


def test_a_folder_given_as_a_link_is_looked_through(clean, here, tmp_path, token):
    (tmp_path / "real").mkdir()
    (tmp_path / f"real/.a{token()}").write_text("a")
    (here / "link").symlink_to(tmp_path / "real")
    assert clean("link").lines[0].startswith(f"removed unfinished file link/.a{token()} ")
    assert names(tmp_path / "real") == []


def test_git_is_not_looked_into(clean, here, token):
    (here / ".git").mkdir()
    (here / f".git/.a{token()}").write_text("a")
    assert clean().lines == ["looked at 2 folders; removed nothing"]
    assert len(names(here)) == 2


def test_a_locked_owner_file_stays_whatever_its_name_says(clean, scratch, token):
    make_scratch(scratch, token())
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys\nfile = open(sys.argv[1], 'r+')\nfcntl.lockf(file, fcntl.LOCK_EX)\n"
         "print(flush=True)\nsys.stdin.read()", scratch / f".fft{token()}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    holder.stdout.readline()
    assert clean().lines == ["looked at 2 folders; removed nothing"]
    holder.communicate()
    assert "removed 1 scratch directory" in clean().lines[-1]


@needs_root
def test_what_belongs_to_another_user_stays_and_is_said(clean, scratch, here, token):
    make_scratch(scratch, token())
    (here / f".a{token()}").write_text("a")
    for path in scratch / f".fft{token()}", scratch / f"fft{token()}", here / f".a{token()}":
        os.chown(path, 1, 1)
    before = names(scratch) + names(here)
    done = clean()
    assert [line.rpartition(": ")[2] for line in done.lines[:2]] == ["it belongs to another user"] * 2
    assert done.lines[2] == "looked at 2 folders; removed nothing; left 2" and done.returncode == 0
    assert names(scratch) + names(here) == before


@needs_root
def test_a_directory_of_another_user_beside_an_owner_file_stays(clean, scratch, token):
    directory = make_scratch(scratch, token())
    os.chown(directory, 1, 1)
    assert clean().lines[0].startswith(f"removed unfinished file {scratch}/.fft{token()} ")
    assert directory.is_dir()


# ---- what goes wrong ----


def as_nobody(command, folder, environment):
    """Run a command as a user without rights, who may reach the folder."""
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
            os.chmod(parent, 0o755)
    return subprocess.run(
        command, cwd="/", env=environment, user=65534, group=65534, extra_groups=[],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@needs_root
def test_folders_that_cannot_be_read_are_said_and_those_asked_for_fail(within, scratch, here):
    for name in "given", "below/closed":
        (here / name).mkdir(parents=True)
        os.chmod(here / name, 0)
    done = as_nobody([within, "clean", here / "given", here / "below"], here, {"TMPDIR": str(scratch)})
    assert sorted(done.stderr.splitlines()) == [
        f"within clean: cannot look into {here}/{name}: Permission denied" for name in ("below/closed", "given")
    ]
    assert done.returncode == 1 and done.stdout.endswith("removed nothing; failed 1\n")
    assert as_nobody([within, "clean", here / "below"], here, {"TMPDIR": str(scratch)}).returncode == 0


@needs_root
def test_what_cannot_be_removed_is_said_and_keeps_its_owner(within, scratch, here, token):
    directory = make_scratch(scratch, token())
    (directory / "other").mkdir()
    (directory / "other/file").write_text("kept")
    for path in scratch, here, *scratch.rglob("*"):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    os.chown(directory / "other", 1, 1)
    os.chmod(directory / "other", 0o755)
    done = as_nobody([within, "clean", str(here)], here, {"TMPDIR": str(scratch)})
    assert done.returncode == 1
    assert done.stderr == f"within clean: cannot remove {directory}/other/file: Permission denied\n"
    assert done.stdout == "looked at 2 folders; removed nothing; failed 1\n"
    assert names(scratch) == [f".fft{token()}", f"fft{token()}", f"fft{token()}/other", f"fft{token()}/other/file"]


def test_a_folder_that_is_not_there_is_said(clean, here, token):
    (here / f".a{token()}").write_text("a")
    done = clean("missing", ".")
    assert done.returncode == 1
    assert done.errors == "within clean: cannot look into missing: No such file or directory\n"
    assert done.lines[-1] == "looked at 2 folders; removed 1 unfinished file or folder: 1 file, 1 B; failed 1"
    done = clean(TMPDIR="/missing")
    assert (done.returncode, done.errors) == (1, "within clean: cannot look into /missing: No such file or directory\n")


def test_options_are_taken_before_and_after_folders(clean, here, token):
    (here / f".a{token()}").write_text("a")
    assert clean(".", "--dry-run").lines[0].startswith("would remove ")
    assert clean("--dry-run", ".").lines[0].startswith("would remove ")
    assert len(names(here)) == 1


@pytest.mark.parametrize("age", ["", "d", "7", "7y", "-1d", "1.5d", "7dd", "7 d", "x", "9999999999d", "0x1d"])
def test_an_age_that_is_none_is_named(clean, here, token, age):
    (here / f".a{token()}").write_text("a")
    done = clean(f"--older-than={age}")
    assert (done.returncode, done.lines) == (2, [])
    assert f'--older-than takes an age like 30m, 12h or 7d, and got "{age}"' in done.errors
    assert len(names(here)) == 1


def test_a_mount_in_a_leftover_stays_and_is_said(within, here, scratch, token):
    (here / f".a{token()}/mnt").mkdir(parents=True)
    (here / "other").mkdir()
    (here / "folder").mkdir()
    script = f"""
mount -t tmpfs tmpfs '{here}/.a{token()}/mnt' || exit 99
touch '{here}/.a{token()}/mnt/file'
mount -t tmpfs tmpfs '{here}/other' && touch '{here}/other/.b{token()}'
mount --bind '{here}/folder' '{here}/folder' && touch '{here}/folder/.c{token()}'
'{within}' clean; status=$?
ls '{here}/.a{token()}/mnt' -A '{here}/other' '{here}/folder'
exit $status
"""
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=here, env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 1
    assert done.stderr == f"within clean: cannot remove .a{token()}/mnt: Device or resource busy\n"
    for name in "file", f".b{token()}", f".c{token()}":
        assert f"\n{name}\n" in done.stdout


def test_several_at_once_share_the_work(within, here, scratch, token):
    for number in range(60):
        make_scratch(scratch, token(number=number))
        (here / str(number)).mkdir()
        (here / f"{number}/.a{token(number=number)}").write_text("a")
    environment = {**os.environ, "TMPDIR": str(scratch)}
    cleaners = [
        subprocess.Popen([within, "clean"], cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for cleaner in cleaners:
        assert cleaner.communicate(timeout=60)[1] == b"" and cleaner.returncode == 0
    assert names(scratch) == [] and len(names(here)) == 60


# ---- records ----


@pytest.fixture
def records(compile_c, within, here, tmp_path):
    """A program that leaves records, run once: the path of its record."""
    program = compile_c(
        tmp_path,
        "#include <stdio.h>\n#include <within.h>\nint main(int n, char **v) {\n"
        '    within (wi_section("a")) { if (n > 1) { puts(v[1]); fflush(stdout); getchar(); } }\n}\n',
    )

    def run(*words, **options):
        return [within, "run", "--no-report", "--", program, *words], {"cwd": here, **options}

    command, options = run()
    subprocess.run(command, **options, check=True)
    (record,) = (here / ".within").iterdir()
    return record, run


def age(path, days):
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def test_records_stay_unless_they_are_old_and_asked_for(clean, records, here):
    record, _ = records
    age(record, 6.9)
    assert clean().lines == ["looked at 3 folders; removed nothing"]
    assert clean("--older-than", "7d", "--verbose").lines == ["looked at 3 folders; removed nothing"]
    age(record, 7.1)
    size = f"{record.stat().st_size / 1000:.0f} kB"
    assert clean("--verbose").lines == ["looked at 3 folders; removed nothing"]
    (line, last) = clean("--older-than", "7d", "--dry-run").lines
    assert re.fullmatch(
        rf"would remove record \.within/{record.name} of process \d+ \(dead\), last written [\d-]+ [\d:]+, {size}", line
    )
    assert last == f"looked at 3 folders; would remove 1 record: 1 file, {size}" and record.exists()
    assert clean("--older-than", "7d").lines == [text.replace("would remove", "removed") for text in (line, last)]
    assert not record.exists()


@pytest.mark.parametrize(("word", "days", "goes"), [("30s", 0.001, 1), ("30m", 0.02, 0), ("30m", 0.03, 1),
                                                    ("12h", 0.49, 0), ("12h", 0.51, 1), ("1w", 6.9, 0), ("1w", 7.1, 1)])  # fmt: skip
def test_ages_have_units(clean, records, word, days, goes):
    age(records[0], days)
    assert clean("--older-than", word).returncode == 0
    assert records[0].exists() is not bool(goes)


def test_the_record_of_a_living_process_stays(clean, records):
    _, run = records
    command, options = run("ready")
    program = subprocess.Popen(command, **options, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program.stdout.readline()
    folder = records[0].parent
    for path in folder.iterdir():
        age(path, 30)
    done = clean("--older-than", "1d", "--verbose")
    (left,) = folder.iterdir()
    assert left != records[0] and any(line.endswith(": it is alive") for line in done.lines)
    program.communicate(b"\n", timeout=60)
    age(left, 30)
    clean("--older-than", "1d")
    assert list(folder.iterdir()) == []


def test_records_of_other_hosts_and_what_is_no_record_stay(clean, records, here):
    record, _ = records
    data = record.read_bytes()
    host = socket.gethostname().encode()[:63].ljust(64, b"\0")
    assert host in data
    (record.parent / "other.within").write_bytes(data.replace(host, b"elsewhere".ljust(64, b"\0"), 1))
    (record.parent / "notes.within").write_text("no record")
    (record.parent / "cut.within").write_bytes(data[:1000])
    (record.parent / "newer.within").write_bytes(data[:8] + b"\x63" + data[9:])
    (record.parent / "link.within").symlink_to(record)
    (here / "elsewhere").mkdir()
    shutil.copy(record, here / "elsewhere/copy.within")
    for path in here.rglob("*.within"):
        if path.is_file() and not path.is_symlink():
            age(path, 30)
    done = clean("--older-than", "1d")
    assert any(line.endswith(": it ran on another host") and "other.within" in line for line in done.lines)
    assert "removed 1 record: 1 file" in done.lines[-1] and "left 1" in done.lines[-1]
    left = {path.name for path in record.parent.iterdir()}
    assert left == {"other.within", "notes.within", "cut.within", "newer.within", "link.within"}
    assert (here / "elsewhere/copy.within").exists()


def test_the_folder_of_records_may_be_given_itself(clean, records):
    age(records[0], 30)
    assert "removed 1 record" in clean("--older-than", "1d", ".within").lines[-1]
    assert not records[0].exists()
