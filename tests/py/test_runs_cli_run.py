"""`within run --name`: any command is a run, with its end, sections and memory, and what it logs is a child of it."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest

pytestmark = pytest.mark.usefixtures("with_runs")

SECTIONS = r"""
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <within.h>

int main(int count, char **words) {
    char *block = malloc(50000000);
    if (block) memset(block, 1, 50000000);
    within (wi_section("sweep")) {
        for (int i = 0; i < 3; i++) within (wi_section("step")) {}
        if (count > 1 && strcmp(words[1], "wait") == 0) pause();
        if (count > 1 && atoi(words[1])) raise(atoi(words[1]));
    }
    free(block);
    return count > 2 ? atoi(words[2]) : 0;
}
"""

CHILD = r"""
#include <within.h>
#include <within/run.h>

int main(void) {
    within (run, wi_run("inner")) wi_run_metric(run, "x", 0, 1.5);
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("sections"), SECTIONS)


@pytest.fixture
def call(within, tmp_path):
    def call_within(*words, **options):
        command = [within, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, **options)

    return call_within


@pytest.fixture
def shown(call):
    """A function that gives what `within show --json` prints."""

    def shown_by(word="last", **options):
        return json.loads(call("show", word, "--json", **options).stdout)

    return shown_by


def test_a_command_is_a_run(call, shown, program, tmp_path):
    done = call("run", "--name", "sweep", "--no-report", "--", program, 0, 0)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    run = shown()
    assert (run["name"], run["status"], run["exit_status"], run["error"]) == ("sweep", "FINISHED", 0, None)
    assert run["command"] == f"{program} 0 0"
    assert run["directory"] == str(tmp_path)
    assert [(s["path"], s["calls"]) for s in run["sections"]] == [("sweep", 1), ("sweep > step", 3)]
    assert 50_000_000 < run["peak_memory"] < 500_000_000
    assert not list(tmp_path.glob("runs.db.live/*"))


def test_the_report_is_printed_as_ever(call, program):
    done = call("run", "--name", "sweep", program)
    assert "sweep" in done.stderr and "  step" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        ([0, 3], 3, ("FAILED", 3, None, "ended with status 3")),
        ([int(signal.SIGTERM)], 143, ("INTERRUPTED", None, "SIGTERM", "killed by signal 15 (SIGTERM): asked to end")),
        ([int(signal.SIGSEGV)], 139, ("FAILED", None, "SIGSEGV", "killed by signal 11 (SIGSEGV): segmentation fault")),
        ([int(signal.SIGKILL)], 137, ("KILLED", None, "SIGKILL", "killed by signal 9 (SIGKILL)")),
    ],
    ids=["status", "SIGTERM", "SIGSEGV", "SIGKILL"],
)
def test_how_a_command_ends_is_how_its_run_does(call, shown, program, words, status, expected):
    assert call("run", "--name", "sweep", "--no-report", program, *words).returncode == status
    run = shown()
    assert (run["status"], run["exit_status"], run["signal"]) == expected[:3]
    assert run["error"].startswith(expected[3])
    assert ("sweep" in (run["doing"] or "")) == (run["signal"] is not None)


def test_a_command_that_is_not_there_is_a_failed_run(call, shown):
    done = call("run", "--name", "typo", "nosuchcommand")
    assert (done.returncode, done.stderr) == (127, "within run: nosuchcommand: command not found\n")
    run = shown()
    assert (run["status"], run["exit_status"], run["error"]) == ("FAILED", 127, "the program was not run")


def test_runs_in_the_command_are_its_children(call, shown, compile_c, tmp_path):
    child = compile_c(tmp_path, CHILD)
    elsewhere = tmp_path / "elsewhere.db"
    script = f"cd / && {child}"
    done = call("run", "--name", "outer", "--database", "elsewhere.db", "--no-report", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    outer, inner = (shown(name, env={**os.environ, "WITHIN_DATABASE": str(elsewhere)}) for name in ("outer", "inner"))
    assert inner["parent"] == outer["id"] and outer["children"] == [inner["id"]]
    assert inner["metrics"][0]["last"] == 1.5
    assert not (tmp_path / "runs.db").exists()


def test_a_live_run_is_running_and_a_killed_runner_is_killed(within, call, shown, program, tmp_path):
    command = [within, "run", "--name", "live", "--no-report", program, "wait"]
    runner = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    try:
        for _ in range(200):
            time.sleep(0.05)
            if (tmp_path / "runs.db").exists() and "RUNNING" in call("runs").stdout:
                break
        assert shown("live")["status"] == "RUNNING"
        assert "is running: nothing was deleted" in call("delete", "--yes", "live").stderr
        assert "lives: its process is of this host" in call("close", "--yes", "live").stderr
    finally:
        os.killpg(runner.pid, signal.SIGKILL)
        runner.wait()
    listed = call("runs")
    assert "KILLED" in listed.stdout and listed.stderr == ""
    assert shown("live")["status"] == "KILLED"


def test_without_a_database_nothing_is_run(call, tmp_path):
    (tmp_path / "runs.db").write_text("hello\n" * 1000)
    done = call("run", "--name", "x", "touch", "made")
    assert done.returncode == 125
    assert done.stderr.startswith("within run: ") and "runs.db" in done.stderr
    assert not (tmp_path / "made").exists()


def test_the_database_is_whole(call, program, tmp_path):
    call("run", "--name", "sweep", "--no-report", program)
    db = sqlite3.connect(tmp_path / "runs.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
