"""What the crash tests rest on: kills.py."""

import os
import signal
import subprocess
import time

import kills
import pytest
from kills import kill_at_random, kill_in_folders


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


GROWING = ["sh", "-c", "echo $$; (while :; do echo x >>rows; done) & while :; do echo y >>rows; done"]


def kill_when(monkeypatch, wait):
    """Let kills.py kill after wait(pid) instead of after a time."""

    class Killer:
        def __init__(self, after_s, kill, arguments):
            self.kill, self.arguments = kill, arguments

        def start(self):
            pass

        def join(self):
            wait(self.arguments[0])
            self.kill(*self.arguments)

    monkeypatch.setattr(kills.threading, "Timer", Killer)


def test_random_kills_end_the_whole_group(tmp_path, monkeypatch):
    rows, resets = tmp_path / "rows", []

    def wait_for_both(_):
        while set(rows.read_text()) != set("x\ny"):
            time.sleep(0.001)

    def reset():
        rows.write_text("")
        resets.append(1)

    kill_when(monkeypatch, wait_for_both)
    deaths = []
    for death in kill_at_random(GROWING, times=10, seed=1, longest_s=1, reset=reset):
        size = rows.stat().st_size
        deaths.append(death)
        assert (death.status, bool(death.output)) == (-signal.SIGKILL, True)
        assert rows.stat().st_size == size
    assert [death.number for death in deaths] == list(range(10))
    assert len(resets) == 10


def test_a_death_is_told_when_none_of_the_group_runs(tmp_path, monkeypatch):
    leader = subprocess.Popen(["sh", "-c", "sleep 100 & exit"], start_new_session=True)
    leader.wait()
    assert kills._group_runs(leader.pid)
    os.killpg(leader.pid, signal.SIGKILL)
    while kills._group_runs(leader.pid):
        time.sleep(0.001)
    answers = [True, True, False]
    monkeypatch.setattr(kills, "_group_runs", lambda group: answers.pop(0))
    list(kill_at_random(["sleep", "10"], 1, 1, 0, lambda: None))
    assert not answers


def test_random_kills_are_at_the_same_times_for_the_same_seed(tmp_path):
    def times(seed):
        return [death.after_s for death in kill_at_random(["sleep", "10"], 3, seed, 0.01, lambda: None)]

    assert times(1) == times(1) != times(2)


def test_a_command_that_ends_before_its_kill_has_its_own_status(tmp_path, monkeypatch):
    kill_when(monkeypatch, lambda pid: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT))
    (death,) = kill_at_random(["sh", "-c", "echo done; exit 3"], 1, 1, 1, lambda: None)
    assert (death.status, death.output) == (3, "done\n")


def test_random_kills_run_at_once_in_folders_of_their_own(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for each in folders:
        each.mkdir()
    resets = []
    deaths = list(kill_in_folders(GROWING, folders, 5, 1, 0.02, resets.append))
    assert [death.folder for death in deaths] == resets == [folders[i % 2] for i in range(5)]
    assert all(death.status == -signal.SIGKILL for death in deaths)


def test_leaving_the_loop_of_kills_leaves_nothing_running(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for each in folders:
        each.mkdir()
    deaths = kill_in_folders(GROWING, folders, 100, 1, 0.02, lambda _: None)
    next(deaths)
    deaths.close()
    sizes = [(each / "rows").stat().st_size for each in folders if (each / "rows").exists()]
    assert sizes == [(each / "rows").stat().st_size for each in folders if (each / "rows").exists()]
