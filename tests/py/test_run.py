"""within run: the program's status, its signals, its record, and what is told of its end."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

import pytest

# Does what its arguments say, one after the other, inside two sections.
PROGRAM = r"""
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <within.h>

static volatile sig_atomic_t last_signal;
static void on_signal(int number) { last_signal = number; }

/* A line on stdout once the program is where the test wants it. */
static void say(const char *text) { printf("%s\n", text); fflush(stdout); }

static void wait_for_signal(void) {
    struct sigaction action = {.sa_handler = on_signal};
    int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGRTMIN};
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
    say("ready");
    while (!last_signal) sigsuspend(&none);
    printf("signal %d\n", last_signal);
}

static void fork_children(int count) {
    for (int i = 0; i < count; i++) {
        if (fork() == 0) {
            within (wi_section("in child")) usleep(1000);
            exit(0);
        }
    }
    while (wait(NULL) > 0) {}
}

static void act(const char *word) {
    if (strcmp(word, "sleep") == 0) pause();
    if (strcmp(word, "ready") == 0) say("ready");
    if (strcmp(word, "wait") == 0) wait_for_signal();
    if (strcmp(word, "nap") == 0) usleep(50000);
    if (strcmp(word, "fork") == 0) fork_children(3);
    if (strcmp(word, "read") == 0) getchar();
    if (strcmp(word, "env") == 0) say(getenv("WITHIN_RECORD") ? getenv("WITHIN_RECORD") : "(none)");
    if (strncmp(word, "raise=", 6) == 0) raise(atoi(word + 6));
    if (strncmp(word, "exit=", 5) == 0) exit(atoi(word + 5));
    if (strncmp(word, "_exit=", 6) == 0) _exit(atoi(word + 6));
}

int main(int argc, char **argv) {
    within (wi_section("outer")) {
        wi_holding file = wi_hold("file", "results.csv");
        within (wi_section("inner")) {
            for (int i = 1; i < argc; i++) act(argv[i]);
        }
        wi_let_go(file);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("program"), PROGRAM)


@pytest.fixture
def run(within, tmp_path):
    """A function that calls `within run` in an empty folder."""

    def call(*words, **options):
        return subprocess.run(
            [within, "run", *words], capture_output=True, text=True, cwd=tmp_path, timeout=60, **options
        )

    return call


@pytest.fixture
def start(within, tmp_path):
    """A function that starts `within run`, and waits for the program's first line."""
    started = []

    def begin(*words):
        runner = subprocess.Popen(
            [within, "run", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        started.append(runner)
        assert runner.stdout.readline() == "ready\n"
        return runner

    yield begin
    for runner in started:
        runner.terminate()  # the program as well, which has the other end of the pipes
        runner.communicate(timeout=60)


def records(folder):
    return sorted((folder / ".within").iterdir()) if (folder / ".within").exists() else []


def report(within, path, *options):
    done = subprocess.run([within, "report", "--json", *options, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


# ---- status ----


@pytest.mark.parametrize("status", [0, 1, 3, 255])
@pytest.mark.parametrize("way", ["exit", "_exit"])
def test_the_status_of_the_program_is_passed_back(run, program, way, status):
    done = run("--", program, f"{way}={status}")
    assert done.returncode == status
    assert f"ended with status {status}\n" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR1])
def test_a_signal_that_killed_it_becomes_128_and_its_number(run, program, number):
    done = run("--", program, f"raise={int(number)}")
    assert done.returncode == 128 + number
    assert f"killed by signal {int(number)} ({number.name})" in done.stderr


def test_sigkill_tells_of_the_out_of_memory_killer(run, program):
    assert "; the kernel's out-of-memory killer also uses it\n" in run("--", program, "raise=9").stderr


def test_a_program_that_is_not_there_is_127(run, tmp_path):
    done = run("--", "no-such-program")
    assert (done.returncode, done.stderr) == (127, "within run: no-such-program: command not found\n")
    done = run("--", "./no-such-program")
    assert (done.returncode, done.stderr) == (127, "within run: ./no-such-program: No such file or directory\n")
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_an_interpreter_that_is_not_there_is_said(run, tmp_path):
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    (tmp_path / "script").chmod(0o755)
    done = run("--", "./script")
    assert done.returncode == 127
    assert "script: the interpreter that its first line names does not exist\n" in done.stderr


def test_a_program_that_cannot_be_executed_is_126(run, tmp_path):
    (tmp_path / "notes.txt").write_text("not a program\n")
    done = run("--", "./notes.txt")
    assert (done.returncode, done.stderr) == (126, "within run: ./notes.txt: Permission denied\n")
    assert run("--", "./").returncode == 126


def test_options_of_the_program_are_its_own(run, tmp_path):
    (tmp_path / "echo").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "echo").chmod(0o755)
    assert run("./echo", "--record", "--", "--help").stdout == "--record -- --help\n"
    assert run("--", "./echo", "--no-report").stdout == "--no-report\n"


def test_the_program_reads_and_writes_as_without(run):
    done = run("--", "sh", "-c", "cat; echo to stderr >&2", input="some text")
    assert done.stdout == "some text"
    assert "to stderr\n" in done.stderr


# ---- signals ----


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
    + [signal.SIGALRM, signal.SIGCONT, signal.SIGRTMIN],
)
def test_signals_are_passed_on_and_the_program_may_go_on(start, program, number):
    runner = start("--", program, "wait", "exit=4")
    runner.send_signal(number)
    out, errors = runner.communicate(timeout=60)
    assert out == f"signal {int(number)}\n"
    assert runner.returncode == 4
    assert "ended with status 4" in errors


def test_a_signal_that_the_program_does_not_handle_ends_both(start, program):
    runner = start("--", program, "ready", "sleep")
    runner.send_signal(signal.SIGTERM)
    errors = runner.communicate(timeout=60)[1]
    assert runner.returncode == 128 + signal.SIGTERM
    assert "killed by signal 15 (SIGTERM): asked to end" in errors


@pytest.mark.parametrize(("before", "caught"), [([], 1), (["setsid"], 0)], ids=["same group", "other group"])
def test_a_signal_from_the_terminal_is_not_passed_on(within, tmp_path, before, caught):
    """The terminal sends it to its whole group: the program gets it from there, if it is in it."""
    (tmp_path / "count.sh").write_text("trap 'n=$((n+1))' INT\nn=0\necho ready\nsleep 0.5\nsleep 0.3\necho caught $n\n")
    command = [str(within), "run", "--no-report", "--", *before, "sh", "count.sh"]
    code = (
        "import os, pty\n"
        "pid, terminal = pty.fork()\n"
        f"if pid == 0: os.execv({str(within)!r}, {command!r})\n"
        "text = b''\n"
        "while b'ready' not in text: text += os.read(terminal, 1000)\n"
        "os.write(terminal, b'\\x03')\n"
        "try:\n"
        "    while True: text += os.read(terminal, 1000)\n"
        "except OSError: pass\n"
        "status = os.waitpid(pid, 0)[1]\n"
        "print(text.decode().split('\\n')[-2].strip(), os.waitstatus_to_exitcode(status))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.stdout.endswith(f"caught {caught} 0\n"), done.stdout + done.stderr


def test_the_program_starts_with_the_signals_of_the_caller(run):
    done = run("--no-report", "--", "sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status")
    plain = subprocess.run(
        ["sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == plain.stdout


def test_the_status_is_known_when_the_caller_ignores_its_children(run, program):
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    assert run("--", program, "exit=3", preexec_fn=ignore).returncode == 3


def test_a_reader_of_the_report_that_has_gone_does_not_change_the_status(within, program, tmp_path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [within, "run", "--", program, "exit=3"], stderr=write_end, cwd=tmp_path, timeout=60, restore_signals=True
    )
    os.close(write_end)
    assert done.returncode == 3


# ---- the report at the end ----


def test_the_report_is_printed_on_stderr(run, program):
    done = run("--", program)
    assert done.stdout == ""
    assert re.search(r"^outer +1 ", done.stderr, re.MULTILINE)
    assert re.search(r"^  inner +1 ", done.stderr, re.MULTILINE)
    assert f"command  {program}\n" in done.stderr


def test_no_report_prints_nothing(run, program, tmp_path):
    done = run("--no-report", "--", program, "raise=9")
    assert (done.returncode, done.stdout, done.stderr) == (137, "", "")
    assert len(records(tmp_path)) == 1


def test_a_killed_program_shows_the_open_blocks_innermost_first(run, program):
    done = run("--", program, "nap", "raise=9")
    part = done.stderr.split("open at the end, innermost first\n")[1]
    lines = [line.split("  since ") for line in part.splitlines()[:3]]
    assert [before.strip().split(None, 1) for before, _ in lines] == [
        ["section", "outer > inner"],
        ["file", "results.csv"],
        ["section", "outer"],
    ]
    for _, after in lines:
        open_for = re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d, for (\S+) (ms|s)", after.strip())
        assert open_for, after
        assert float(open_for[1]) * {"ms": 1, "s": 1000}[open_for[2]] >= 50


def test_a_program_killed_from_outside_shows_them_too(start, program, within, tmp_path):
    runner = start("--", program, "ready", "sleep")
    (child,) = children_of(runner.pid)
    os.kill(child, signal.SIGKILL)
    errors = runner.communicate(timeout=60)[1]
    assert runner.returncode == 137
    assert "section  outer > inner" in errors
    found = report(within, records(tmp_path)[0])
    assert found["end"]["signal"] == 9
    assert [scope["what"] for scope in found["open"]] == ["outer > inner", "results.csv", "outer"]
    assert found["pid"] == child


def test_a_program_that_records_nothing_is_said_in_one_line(run, tmp_path):
    done = run("--", "true")
    assert done.stderr == "within run: true recorded nothing: it opened no section of libwithin\n"
    assert list(tmp_path.iterdir()) == [], "an empty record is not kept"


def test_a_program_that_records_nothing_and_is_killed_says_by_what(run):
    done = run("--", "sh", "-c", "kill -SEGV $$")
    assert done.returncode == 128 + signal.SIGSEGV
    assert "killed by signal 11 (SIGSEGV): segmentation fault" in done.stderr


def test_forked_children_have_records_beside_it(run, program, within, tmp_path):
    done = run("--", program, "fork")
    main, *children = records(tmp_path)
    assert main.suffix == ".within"
    assert len(children) == 3
    message = "3 more processes of this run were measured: within report .within/"
    assert message in done.stderr
    later = subprocess.run([within, "report"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert message in later.stdout
    whole = report(within, main)
    assert [section["path"] for section in whole["sections"]] == ["outer", "outer > inner"]
    for child in children:
        found = report(within, child)
        assert found["forked_from"] == whole["pid"]
        assert child.name == f"{main.name}.{found['pid']}"
        (section,) = [s for s in found["sections"] if s["name"] == "in child"]
        assert section["path"] == "outer > inner > in child"
        assert section["total_s"] >= 0.001


def test_records_of_an_earlier_run_are_not_counted(run, program, within, tmp_path):
    run("--record", "r", "--", program)
    (tmp_path / "r.999").write_bytes((tmp_path / "r").read_bytes())
    time.sleep(0.2)
    assert "of this run" not in run("--record", "r", "--", program).stderr
    done = subprocess.run([within, "report", tmp_path / "r"], capture_output=True, text=True, timeout=60)
    assert "of this run" not in done.stdout


def test_a_shell_that_starts_the_program_is_seen_through(run, program, within, tmp_path):
    done = run("--", "sh", "-c", f"{program} raise=9; exit 5")
    assert done.returncode == 5
    assert "gone before its exit" in done.stderr
    assert "section  outer > inner" in done.stderr


# ---- the record ----


def test_the_record_has_the_programs_name_and_time(run, program, tmp_path):
    run("--", program)
    (record,) = records(tmp_path)
    assert re.fullmatch(rf"{program.name}-\d{{8}}-\d{{6}}-\d+\.within", record.name)


def test_a_path_may_be_given(run, program, within, tmp_path):
    done = run("--record", "here.within", "--", program, "env")
    assert done.stdout == f"{tmp_path}/here.within\n", "the program gets an absolute path"
    assert "record   here.within\n" in done.stderr
    assert report(within, tmp_path / "here.within")["sections"][0]["name"] == "outer"
    assert records(tmp_path) == []


def test_a_folder_that_is_missing_is_made(run, program, tmp_path):
    assert run("--record=results/here.within", "--", program).returncode == 0
    assert (tmp_path / "results/here.within").exists()


def test_a_finished_record_is_replaced(run, program, within, tmp_path):
    run("--record", "r", "--", program, "exit=1")
    done = run("--record", "r", "--", program, "exit=2")
    assert done.returncode == 2
    assert report(within, tmp_path / "r")["end"]["status"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_a_record_is_kept_when_the_program_cannot_be_run(run, program, tmp_path):
    run("--record", "r", "--", program)
    before = (tmp_path / "r").read_bytes()
    assert run("--record", "r", "--", "./no-such-program").returncode == 127
    assert (tmp_path / "r").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_a_live_record_is_left_alone_and_nothing_is_run(start, run, program, tmp_path):
    runner = start("--record", "r", "--", program, "ready", "sleep")
    (child,) = children_of(runner.pid)
    done = run("--record", "r", "--", "touch", "ran")
    assert done.returncode == 125
    assert done.stderr == f"within run: record r: it is the record of process {child}, which is running\n"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"snr,ber\n0,0.5\n", b"x" * 100000])
def test_a_file_that_is_no_record_is_left_alone(run, tmp_path, content):
    (tmp_path / "data").write_bytes(content)
    done = run("--record", "data", "--", "touch", "ran")
    assert done.returncode == 125
    assert done.stderr == "within run: record data: the file is there and is no record: it is left as it is\n"
    assert (tmp_path / "data").read_bytes() == content
    assert not (tmp_path / "ran").exists()


def test_neither_a_directory_nor_a_pipe_is_replaced(run, tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    done = run("--record", "folder", "--", "touch", "ran")
    assert (done.returncode, done.stderr) == (125, "within run: record folder: it is a directory\n")
    assert run("--record", "pipe", "--", "touch", "ran").returncode == 125
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert not (tmp_path / "ran").exists()


def test_without_a_folder_the_program_runs_without_a_record(run, program, tmp_path):
    (tmp_path / ".within").write_text("a file in the way")
    done = run("--", program, "env", "exit=3")
    assert done.returncode == 3
    assert done.stdout == "(none)\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("within run: record .within/")
    assert line.endswith(": Not a directory; the program runs without a record: there will be no report")
    assert (tmp_path / ".within").read_text() == "a file in the way"


def test_a_folder_too_deep_is_not_made(run, program, tmp_path):
    done = run("--record", "a/b/c.within", "--", program, "exit=3")
    assert done.returncode == 3
    assert "record a/b/c.within: No such file or directory; the program runs without" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_room_the_program_runs_without_a_record(within, program, tmp_path):
    command = f"ulimit -f 0; trap '' XFSZ; exec {within} run -- {program} exit=3"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "File too large; the program runs without a record" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing half made is left"


def test_a_record_that_is_deleted_meanwhile_is_still_reported(start, program, tmp_path):
    runner = start("--record", "r", "--", program, "ready", "read")
    (tmp_path / "r").unlink()
    _, errors = runner.communicate("\n", timeout=60)
    assert runner.returncode == 0
    assert re.search(r"^  inner +1 ", errors, re.MULTILINE)
    assert "r was deleted meanwhile: this report is all that is left of it" in errors


def test_a_run_inside_a_run_has_its_own_record(run, program, within, tmp_path):
    done = run("--record", "outer", "--", str(within), "run", "--record", "inner", "--", program)
    assert done.returncode == 0
    assert report(within, tmp_path / "inner")["sections"]
    assert f"{within} recorded nothing" in done.stderr


def test_programs_with_odd_names_get_a_record(run, program, tmp_path):
    name = "a b" + "x" * 200
    (tmp_path / name).symlink_to(program)
    assert run("--", f"./{name}").returncode == 0
    (record,) = records(tmp_path)
    assert record.name.startswith("a bxxx")


def test_a_record_can_be_read_while_the_program_runs(start, program, within, tmp_path):
    start("--", program, "ready", "sleep")
    found = report(within, records(tmp_path)[0])
    assert found["end"]["how"] == "running"
    assert [scope["what"] for scope in found["open"]] == ["outer > inner", "results.csv", "outer"]
    inner = next(section for section in found["sections"] if section["name"] == "inner")
    assert (inner["open"], inner["calls"], inner["mean_s"]) == (1, 1, None)
    first = inner["total_s"]
    time.sleep(0.05)
    again = report(within, records(tmp_path)[0])
    assert next(s for s in again["sections"] if s["name"] == "inner")["total_s"] >= first + 0.05


@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_files_do_not_mix_with_the_record(within, program, tmp_path, closed):
    command = f"exec {within} run --record r -- {program} {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=60)
    assert done.returncode == 0
    assert report(within, tmp_path / "r")["end"]["status"] == 0
