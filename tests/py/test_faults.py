"""What the fault tests rest on: faults.py and the tool below it."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from faults import ERRORS, KILLED, calls, every_fault, inject

OLD, NEW = "the old text\n", "the new text, which is longer\n"

# Replaces the file `text` as it should be done, and says which call failed; status 1.
WRITER = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed(const char *what) {
    printf("%s: %d\n", what, errno);
    return 1;
}

int main(void) {
    const char *text = "the new text, which is longer\n";
    int file = open("text.new", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0) return failed("open");
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = write(file, text, left);
        if (written < 0) return failed("write");
        text += written, left -= (size_t)written;
    }
    if (fsync(file) < 0) return failed("fsync");
    if (close(file) < 0) return failed("close");
    if (rename("text.new", "text") < 0) return failed("rename");
    return 0;
}
"""

# Writes in place and looks at nothing.
CARELESS = r"""
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    const char *text = "the new text, which is longer\n";
    int file = open("text", O_WRONLY | O_TRUNC);
    if (write(file, text, strlen(text)) < 0) return 0;
    return close(file) < 0;
}
"""

WRITER_IN_PYTHON = f"""
import os
with open("text.new", "w") as file:
    file.write({NEW!r})
    file.flush()
    os.fsync(file.fileno())
os.replace("text.new", "text")
"""


def python(script):
    """The command that runs a script, without what site packages would read and write."""
    return [sys.executable, "-I", "-S", "-c", script]


@pytest.fixture(scope="module")
def writer(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("writer"), WRITER)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, which commands run in."""
    path = tmp_path / "folder"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def reset(folder):
    """A function that makes the folder hold the old text and nothing else."""

    def reset_folder():
        for path in folder.iterdir():
            path.unlink()
        (folder / "text").write_text(OLD)

    reset_folder()
    return reset_folder


def names(listed):
    return [call.name for call in listed]


def runs(pid):
    """Whether a process runs; one that is dead and nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


# ---- what is counted ----


def test_the_calls_of_a_c_program_are_listed(writer, folder, reset):
    listed = calls([writer], folder)
    assert [(call.name, call.path) for call in listed] == [
        ("open", "text.new"), ("write", "text.new"), ("fsync", "text.new"), ("close", "text.new"), ("rename", "text"),
    ]  # fmt: skip
    assert [call.number for call in listed] == [1, 2, 3, 4, 5]
    assert (listed[1].result, listed[4].result) == (len(NEW), 0)


@pytest.mark.parametrize("language", ["C", "Python"])
def test_numbers_are_the_same_in_each_run(language, writer, folder, reset):
    command = [writer] if language == "C" else python(WRITER_IN_PYTHON)
    first = calls(command, folder)
    assert "fsync" in names(first)
    assert all(calls(command, folder) == first for _ in range(5))


EACH_KIND = """
import fcntl, mmap, os
os.mkdir("d")
os.rmdir("d")
f = os.open("f", os.O_RDWR | os.O_CREAT)
os.write(f, b"12")
os.pwrite(f, b"345", 0)
os.writev(f, [b"6", b"7"])
os.pwritev(f, [b"8"], 0)
g = os.open("/proc/self/exe", os.O_RDONLY)
os.sendfile(f, g, 0, 5000)
h = os.open("h", os.O_RDWR | os.O_CREAT)
os.copy_file_range(f, h, 10, 0)
os.fsync(f), os.fdatasync(f)
os.ftruncate(f, 8), os.truncate("f", 9)
os.posix_fallocate(f, 0, 5000)
os.fchmod(f, 0o600), os.chmod("f", 0o600)
os.fchown(f, -1, -1), os.chown("f", -1, -1), os.lchown("f", -1, -1)
fcntl.lockf(f, fcntl.LOCK_EX), fcntl.lockf(f, fcntl.LOCK_UN)
fcntl.flock(f, fcntl.LOCK_EX), fcntl.flock(f, fcntl.LOCK_UN)
fcntl.fcntl(f, fcntl.F_GETFD)
mmap.mmap(f, 0)  # has a descriptor of its own, and closes it at once as nobody keeps the map
os.dup2(f, 50, inheritable=False), os.close(50)
os.link("f", "l"), os.symlink("f", "s")
os.rename("l", "m"), os.replace("m", "n")
os.unlink("n"), os.unlink("s")
here = os.open(".", os.O_RDONLY)
os.mkdir("d", dir_fd=here), os.rename("d", "e", src_dir_fd=here, dst_dir_fd=here), os.rmdir("e", dir_fd=here)
os.close(f)
"""


def test_each_kind_of_call_is_counted_once(folder):
    assert " ".join(names(calls(python(EACH_KIND), folder))) == (
        "mkdir rmdir open write write write write write open write fsync fsync truncate truncate fallocate"
        " chmod chmod chown chown chown lock unlock lock unlock dup mmap close dup close link symlink rename rename unlink unlink"
        " open mkdir rename rmdir close"
    )


def test_reads_and_stats_are_counted_if_wanted(folder):
    command = python("import os; f = os.open('f', 66); os.read(f, 1), os.pread(f, 1, 0), os.fstat(f), os.stat('f')")
    plain = ["open"]
    reads = calls(command, folder, with_reads=True)
    stats = calls(command, folder, with_stats=True)
    assert names(calls(command, folder)) == plain
    assert names(reads) == plain + ["read", "read"]
    # Interpreters differ in how often they ask about the working folder.
    assert [call.name for call in stats if call.path == "f"] == plain + ["stat", "stat"]


def test_paths_are_those_of_the_folder_however_it_is_reached(folder, tmp_path):
    (folder / "below").mkdir()
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "folder-and-more").mkdir()
    script = f"""
import os
os.mkdir({str(folder / "absolute")!r})
os.mkdir({str(tmp_path / "link" / "linked")!r})
os.mkdir("../folder/dots")
os.mkdir("../folder-and-more/elsewhere")
os.chdir("below")
os.mkdir("moved")
os.rename("moved", "../../folder-and-more/out")
os.chdir("/")
os.mkdir({str(tmp_path / "other")!r})
"""
    for under in folder, tmp_path / "link":
        paths = [call.path for call in calls(python(script), under)]
        assert paths == ["absolute", "linked", "dots", "below/moved", "below/moved"]
        subprocess.run(["rm", "-r", "absolute", "linked", "dots", "../other", *tmp_path.glob("f*/out"),
                        *tmp_path.glob("f*/elsewhere")], check=True)  # fmt: skip


def test_names_may_hold_anything(folder):
    odd = "tab\t, line\n, back\\slash, \\x41, é, 日本, \udcff"
    listed = calls([*python("import os, sys; os.close(os.open(sys.argv[1], 66))"), odd], folder)
    assert [call.path for call in listed] == [odd, odd]


# ---- what happens to calls ----


@pytest.mark.parametrize("at, name", enumerate(["open", "write", "fsync", "close", "rename"], 1))
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EINTR", "EACCES", "EROFS", "EDQUOT", "EMFILE"])
def test_a_call_returns_the_error_instead_of_running(at, name, error, writer, folder, reset):
    done = inject([writer], folder, at, error)
    number = getattr(errno, error)
    assert (done.returncode, done.stdout) == (1, f"{name}: {number}\n")
    assert done.calls[-1][:2] == (at, name)
    assert done.calls[-1].result == -number
    assert (folder / "text").read_text() == OLD
    left = (folder / "text.new").read_text() if at > 1 else None
    assert left == {1: None, 2: ""}.get(at, NEW)


def test_a_close_that_fails_has_closed(compile_c, folder, tmp_path):
    program = compile_c(
        tmp_path,
        r"""
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <unistd.h>
        int main(void) {
            int file = open("f", O_WRONLY | O_CREAT, 0666);
            int closed = close(file), why = errno;
            int open_still = fcntl(file, F_GETFD) == 0;
            printf("%d %d %d\n", closed, why, open_still);
        }
        """,
    )
    assert inject([program], folder, 2, "EIO").stdout == f"-1 {errno.EIO} 0\n"


def test_a_short_write_writes_half_and_goes_on(writer, folder, reset):
    done = inject([writer], folder, 2, "short")
    assert [call.result for call in done.calls if call.name == "write"] == [15, 15]
    assert done.returncode == 0
    assert (folder / "text").read_text() == NEW


@pytest.mark.parametrize("sizes", ["5", "1 4", "4 1", "3 3", "0 6 0", "1 1 1 1 1 1 1"])
def test_a_short_writev_writes_half_of_all_pieces_and_leaves_them_as_they_were(sizes, compile_c, folder, tmp_path):
    program = compile_c(
        tmp_path,
        r"""
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/uio.h>
        int main(int count, char **sizes) {
            struct iovec pieces[16];
            for (int i = 1; i < count; i++) pieces[i] = (struct iovec){"abcdefgh", (size_t)atoi(sizes[i])};
            ssize_t written = writev(open("f", O_WRONLY | O_CREAT, 0666), pieces + 1, count - 1);
            printf("%zd", written);
            for (int i = 1; i < count; i++) printf(" %zu", pieces[i].iov_len);
        }
        """,
    )
    sizes = [int(size) for size in sizes.split()]
    half = sum(sizes) // 2
    done = inject([program, *map(str, sizes)], folder, 2, "short")
    assert done.stdout == " ".join(map(str, [half, *sizes]))
    assert (folder / "f").read_text() == "".join("abcdefgh"[:size] for size in sizes)[:half]


def test_registers_are_the_same_after_a_shortened_call(compile_c, folder, tmp_path):
    program = compile_c(
        tmp_path,
        r"""
        #include <fcntl.h>
        #include <stdio.h>
        #include <sys/syscall.h>
        int main(void) {
            int file = open("f", O_WRONLY | O_CREAT, 0666);
        #if defined(__x86_64__)
            long result = SYS_write, size = 8;
            __asm__ volatile("syscall" : "+a"(result), "+d"(size) : "D"((long)file), "S"("abcdefgh")
                             : "rcx", "r11", "memory");
        #else
            register long number __asm__("x8") = SYS_write;
            register long result __asm__("x0") = file;
            register const char *text __asm__("x1") = "abcdefgh";
            register long size __asm__("x2") = 8;
            __asm__ volatile("svc 0" : "+r"(result), "+r"(size) : "r"(number), "r"(text) : "memory");
        #endif
            printf("%ld %ld\n", result, size);
        }
        """,
    )
    assert inject([program], folder, 2, "short").stdout == "4 8\n"


def test_short_does_nothing_to_a_write_of_one_byte_and_to_other_calls(folder):
    command = python("import os; f = os.open('f', 66); print(os.write(f, b'1')); os.close(f)")
    for at in 1, 2, 3:
        done = inject(command, folder, at, "short")
        assert (done.returncode, done.stdout) == (0, "1\n")


def test_from_on_reaches_all_later_calls_of_the_name_and_no_others(folder):
    script = """
import os
f = os.open("f", 66)
for i in range(4):
    try:
        os.pwrite(f, b"x", i) if i % 2 else os.write(f, b"x")
    except OSError as error:
        print(i, error.errno)
    os.fsync(f)
"""
    done = inject(python(script), folder, 4, "ENOSPC", from_on=True)
    assert done.stdout == f"1 {errno.ENOSPC}\n2 {errno.ENOSPC}\n3 {errno.ENOSPC}\n"
    assert (done.returncode, names(done.calls).count("fsync")) == (0, 4)


def test_a_kill_comes_right_before_the_call(writer, folder, reset):
    for at, left in enumerate([None, "", NEW, NEW, NEW], 1):
        reset()
        done = inject([writer], folder, at, "kill")
        assert done.returncode == KILLED
        assert (done.calls[-1].number, done.calls[-1].result) == (at, None)
        assert (folder / "text").read_text() == OLD
        new = folder / "text.new"
        assert (new.read_text() if new.exists() else None) == left


def test_a_kill_reaches_the_whole_tree(folder, tmp_path):
    pids = tmp_path / "pids"
    script = f"""
import os, subprocess, threading, time
read, write = os.pipe()
threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        child = subprocess.Popen(["sh", "-c", "echo ready; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        os.write(write, b"x")
    time.sleep(100)
os.read(read, 1)
os.mkdir("here")
"""
    assert inject(python(script), folder, 1, "kill").returncode == KILLED
    assert not any(runs(pid) for pid in pids.read_text().split())
    assert not (folder / "here").exists()


# ---- who makes the calls ----

WAYS = {
    "thread": "import threading; t = threading.Thread(target=work); t.start(); t.join()",
    "child": "import os\nif os.fork() == 0: work(), os._exit(0)\nos.wait()",
    "grandchild": "import os\nif os.fork() == 0:\n if os.fork() == 0: work(), os._exit(0)\n os.wait(), os._exit(0)\nos.wait()",
    "executed": "import subprocess, sys; subprocess.run([sys.executable, '-ISc', source], check=True)",
    "replaced by a thread": "import os, sys, threading\n"
    "threading.Thread(target=os.execv, args=(sys.executable, [sys.executable, '-ISc', source])).start()",
    "left alone": "import os\nif os.fork() == 0: os.setsid(); import time; time.sleep(0.1); work(), os._exit(0)",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_found_whoever_makes_it(way, folder):
    source = """
def work():
    import os
    try:
        os.mkdir("made")
    except OSError as error:
        os.write(os.open("why", 66), str(error.errno).encode())
"""
    command = python(f"source = {source!r} + 'work()'\n{source}\n{WAYS[way]}")
    assert names(calls(command, folder)) == ["mkdir"]
    (folder / "made").rmdir()
    inject(command, folder, 1, "EROFS")
    assert (folder / "why").read_text() == str(errno.EROFS)
    assert not (folder / "made").exists()


def test_calls_of_many_threads_are_all_counted(compile_c, folder, tmp_path):
    program = compile_c(
        tmp_path,
        r"""
        #include <fcntl.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <unistd.h>
        static void *work(void *arg) {
            char name[16];
            snprintf(name, sizeof name, "%d", (int)(long)arg);
            int file = open(name, O_WRONLY | O_CREAT, 0666);
            for (int i = 0; i < 50; i++) {
                if (write(file, "xy", 2) != 2) return arg;
            }
            close(file);
            return NULL;
        }
        int main(void) {
            pthread_t threads[8];
            for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, work, (void *)i);
            pthread_exit(NULL); /* the others go on without it */
        }
        """,
    )
    listed = calls([program], folder)
    assert [call.number for call in listed] == list(range(1, 8 * 52 + 1))
    assert all(names(call for call in listed if call.path == str(i)).count("write") == 50 for i in range(8))
    assert inject([program], folder, 200, "kill").returncode == KILLED


def test_a_call_that_an_exec_cuts_off_is_listed_without_a_result(folder):
    script = """
import fcntl, os, threading
def replace():
    while not any("->" in line and f" {os.getpid()} " in line for line in open("/proc/locks")):
        pass
    os.execlp("true", "true")
threading.Thread(target=replace).start()
files = [os.open("f", os.O_RDWR | os.O_CREAT) for _ in range(2)]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX)
"""
    listed = calls(python(script), folder)
    assert [(call.name, call.result) for call in listed][2:] == [("lock", 0), ("lock", None)]


# ---- what the command notices ----


def test_the_status_is_that_of_the_command(folder):
    assert inject(["sh", "-c", "exit 3"], folder, 1, "EIO").returncode == 3
    assert inject(["sh", "-c", "kill -SEGV $$"], folder, 1, "EIO").returncode == 128 + signal.SIGSEGV
    assert inject(["./no-such-command"], folder, 1, "EIO").returncode == 127
    assert inject([folder], folder, 1, "EIO").returncode == 126


def test_signals_arrive_and_processes_stop_and_go_on(folder):
    script = """
import os, select, signal
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append("usr1"))
signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
signal.signal(signal.SIGTRAP, lambda *_: seen.append("trap"))
for number in signal.SIGUSR1, signal.SIGTRAP:
    os.kill(os.getpid(), number)
signal.setitimer(signal.ITIMER_REAL, 0.001)
signal.pause()
went_on, write = os.pipe()
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os.write(write, b"x")
    os._exit(7)
stopped = os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
early = select.select([went_on], [], [], 0.05)[0]
os.kill(child, signal.SIGCONT)
print(*seen, stopped, early, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert inject(python(script), folder, 1, "EIO").stdout == "usr1 trap alarm True [] 7\n"


def test_a_signal_to_the_tool_goes_to_the_command(build, folder):
    calls(["true"], folder)  # skips where nothing can be traced
    command = ["sh", "-c", 'trap "echo asked; exit 5" TERM; echo ready; while :; do sleep 0.01; done']
    tool = subprocess.Popen(
        [build / "tests" / "faults" / "fault", "--under", folder, "--", *command], stdout=subprocess.PIPE, text=True
    )
    assert tool.stdout.readline() == "ready\n"
    tool.terminate()
    assert (tool.communicate(timeout=60)[0], tool.returncode) == ("asked\n", 5)


def test_a_killed_tool_takes_the_command_along(build, folder):
    calls(["true"], folder)
    command = python("import signal; print('ready', flush=True); signal.pause()")
    tool = subprocess.Popen(
        [build / "tests" / "faults" / "fault", "--under", folder, "--", *command], stdout=subprocess.PIPE, text=True
    )
    assert tool.stdout.readline() == "ready\n"
    tool.kill()
    assert tool.communicate(timeout=60)[0] == ""  # nobody has the other end of the pipe


# ---- every fault ----


@pytest.mark.parametrize("language", ["C", "Python"])
def test_every_fault_leaves_a_careful_writer_old_or_new(language, writer, folder, reset):
    command = [writer] if language == "C" else python(WRITER_IN_PYTHON)
    seen = []
    for call, error, done in every_fault(command, folder, reset):
        assert (folder / "text").read_text() in (OLD, NEW), (call, error)
        assert (done.returncode == KILLED) == (error == "kill")
        seen.append((call.name, error))
    expected = ["open", "write", "fsync", "close", "rename"]
    assert set(seen) == {(name, error) for name in expected for error in ERRORS[name]}


def test_every_fault_catches_a_careless_writer(compile_c, folder, tmp_path, reset):
    program = compile_c(tmp_path, CARELESS)
    left = {error: (folder / "text").read_text() for call, error, _ in every_fault([program], folder, reset)
            if call.name == "write"}  # fmt: skip
    assert left == {"ENOSPC": "", "EIO": "", "EINTR": "", "short": NEW[:15], "kill": ""}


def test_every_fault_may_be_told_which(writer, folder, reset):
    resets = []
    faults = every_fault([writer], folder, lambda: (resets.append(1), reset()), errors={"fsync": ["EIO", "kill"]})
    assert [(call.number, error) for call, error, _ in faults] == [(3, "EIO"), (3, "kill")]
    assert len(resets) == 3


def test_every_fault_notices_a_command_that_is_not_the_same_each_time(folder):
    command = ["sh", "-c", "if [ -e twice ]; then rmdir twice; else mkdir twice; fi"]
    with pytest.raises(AssertionError, match="steady=False"):
        list(every_fault(command, folder, lambda: None))
    (folder / "twice").rmdir()
    assert list(every_fault(command, folder, lambda: None, steady=False))


def test_mistakes_are_said(writer, folder, reset):
    with pytest.raises(RuntimeError, match="ended with 3 undisturbed\nout\nerr"):
        calls(["sh", "-c", "echo out; echo err >&2; exit 3"], folder)
    with pytest.raises(RuntimeError, match="ESILLY: not an error that --error knows"):
        inject([writer], folder, 1, "ESILLY")
    with pytest.raises(RuntimeError, match="0: --at counts calls from 1"):
        inject([writer], folder, 0, "EIO")
    with pytest.raises(RuntimeError, match="missing: No such file"):
        inject([writer], folder / "missing", 1, "EIO")


def test_where_nothing_can_be_traced_tests_are_skipped(build, folder):
    script = f"import sys; sys.path[:] = {[os.path.dirname(__file__), *sys.path]!r}\n" + """
import faults
try:
    faults.calls(["true"], ".")
except BaseException as end:
    print(type(end).__name__, end, sep=": ")
"""
    # What is traced once cannot be traced twice.
    done = inject([sys.executable, "-c", script], folder, 1, "EIO", env={**os.environ, "WITHIN_BUILD": str(build)})
    assert done.stdout == "Skipped: no process can be traced here: fault: ptrace: Operation not permitted\n"
