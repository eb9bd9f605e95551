"""How runs end whose process ends in them, and what they tell of where they ran."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
from run_programs import look

PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <within.h>
#include <within/run.h>

static int end_as(const char *how, wi_run *run) {
    if (strcmp(how, "return") == 0) return 5;
    if (strcmp(how, "finish") == 0) {
        wi_run_finish(run);
        return 0;
    }
    if (strcmp(how, "exit") == 0) exit(4);
    if (strcmp(how, "error") == 0) wi_raise(WI_VALUE_ERROR, "the step is too long");
    if (strcmp(how, "crash") == 0) raise(SIGSEGV);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "_exit") == 0) _exit(0);
    for (;;) {
        wi_poll();
        usleep(1000);
    }
}

int main(int count, char **arguments) {
    (void)count;
    within (wi_interrupts()) {
        within (run, wi_run("ending")) {
            wi_run_metric(run, "energy", 1, 2.5);
            within (wi_section("advance")) {
                puts("begun");
                fflush(stdout);
                if (strcmp(arguments[1], "end") != 0) return end_as(arguments[1], run);
            }
        }
    }
    return 0;
}
"""


def row(folder, columns="status, error, exit_status, signal, doing"):
    conn = sqlite3.connect(folder / "runs.db")
    try:
        (found,) = conn.execute(f"SELECT {columns} FROM run WHERE name = 'ending'").fetchall()
        assert conn.execute("SELECT sum(count) FROM series").fetchall() == [(1,)]
        return found
    finally:
        conn.close()


def row_status(folder):
    conn = sqlite3.connect(folder / "runs.db")
    try:
        return [status for status, in conn.execute("SELECT status FROM run")]
    finally:
        conn.close()


def run(compiled, folder, how):
    return subprocess.run([compiled(PROGRAM), how], cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_end_of_the_body(compiled, tmp_path):
    assert run(compiled, tmp_path, "end").stderr == ""
    assert row(tmp_path) == ("FINISHED", None, None, None, None)
    assert not (tmp_path / "runs.db.live").exists()


@pytest.mark.parametrize(("how", "status", "exit_status"), [("return", 5, None), ("exit", 4, 4)])
def test_ways_to_leave_early(compiled, tmp_path, how, status, exit_status):
    done = run(compiled, tmp_path, how)
    assert done.returncode == status and "call wi_run_finish before a return" in done.stderr
    assert row(tmp_path) == ("FAILED", "left before its end", exit_status, None, None)


def test_a_return_after_finish(compiled, tmp_path):
    assert run(compiled, tmp_path, "finish").stderr == ""
    assert row(tmp_path)[0] == "FINISHED"


def test_an_error_that_nobody_catches(compiled, tmp_path):
    assert run(compiled, tmp_path, "error").returncode == 1
    status, error, _, _, doing = row(tmp_path)
    assert (status, doing) == ("FAILED", None)
    assert error.startswith("WI_VALUE_ERROR: the step is too long\n") and 'left section "advance"' in error


@pytest.mark.parametrize("how", ["crash", "abort", "_exit"])
def test_an_end_without_any_warning_is_found_out(compiled, tmp_path, how):
    run(compiled, tmp_path, how)
    assert row_status(tmp_path) == ["RUNNING"]
    look(compiled, tmp_path)
    *told, doing = row(tmp_path)
    assert told == ["KILLED", None, None, None]
    assert doing.splitlines()[:2] == ["section advance", "run ending"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, "INTERRUPTED"), (signal.SIGINT, "INTERRUPTED"), (signal.SIGKILL, "KILLED")])
def test_signals(compiled, tmp_path, number, status):
    process = subprocess.Popen([compiled(PROGRAM), "wait"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    look(compiled, tmp_path)
    assert row(tmp_path, "status, signal") == (status, number.name if status == "INTERRUPTED" else None)


def test_git_tells_the_commit_and_whether_files_are_changed(compiled, tmp_path):
    if not shutil.which("git"):
        pytest.skip("there is no git")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null"}

    def git(*words):
        names = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
        done = subprocess.run(["git", *names, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    (tmp_path / "ending.c").write_text("old\n")
    git("init", "-q")
    git("add", "ending.c")
    git("commit", "-q", "-m", "begin")
    told = []
    for text in "old\n", "new\n":
        (tmp_path / "ending.c").write_text(text)
        run(compiled, tmp_path, "end")
        conn = sqlite3.connect(tmp_path / "runs.db")
        told.append(dict(conn.execute("SELECT key, value FROM environment WHERE key LIKE 'git.%' ORDER BY run")))
        conn.execute("DELETE FROM run")
        conn.execute("DELETE FROM environment")
        conn.commit()
        conn.close()
    commit = git("rev-parse", "HEAD")
    assert told == [{"git.commit": commit, "git.dirty": "no"}, {"git.commit": commit, "git.dirty": "yes"}]


def test_a_git_that_hangs_is_not_waited_for(compiled, tmp_path):
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 100\n")
    (tmp_path / "git").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    begin = time.monotonic()
    subprocess.run([compiled(PROGRAM), "end"], cwd=tmp_path, env=environment, check=True, timeout=60, capture_output=True)
    assert row(tmp_path)[0] == "FINISHED" and time.monotonic() - begin < 50
