"""Kills a command at random moments, and all that it started.

    from kills import kill_at_random

    def test_a_kill_leaves_whole_rows(writer, tmp_path):
        rows = tmp_path / "rows"
        for death in kill_at_random([writer, rows], times=200, seed=1, longest_s=0.05, reset=lambda: rows.write_text("")):
            assert all(len(row.split(",")) == 3 for row in rows.read_text().splitlines()), death
"""

import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple


class Death(NamedTuple):
    """How one run ended.

    number: of the run, from 0. after_s: the time from its start to its kill. status: -9, or its own if it had ended
    before. output: what it wrote to standard output and error. folder: where it ran.
    """

    number: int
    after_s: float
    status: int
    output: str
    folder: Path | None


def kill_at_random(command, times, seed, longest_s, reset):
    """Start a command again and again, and kill its process group with SIGKILL after a random time.

    Parameters
    ----------
    command : list
        Program and arguments.
    times : int
        How often.
    seed : int
        Of the random times, which are the same for the same seed.
    longest_s : float
        Times are uniform from 0 to this, in seconds. One that is a little longer than an undisturbed run also finds
        the moments of its end.
    reset : callable
        Called without arguments before each run.

    Yields
    ------
    Death
        When no process of the group runs any more. Leaving the loop waits for what runs to be killed.
    """
    yield from kill_in_folders(command, [None], times, seed, longest_s, lambda folder: reset())


def kill_in_folders(command, folders, times, seed, longest_s, reset):
    """Do as kill_at_random, with one run at a time in each folder.

    Parameters
    ----------
    command, times, seed, longest_s
        As of kill_at_random; times in all, and the folder is the command's working folder.
    folders : list of path
        Which have nothing to do with each other.
    reset : callable
        Called with the folder before each run in it.

    Yields
    ------
    Death
        One after the other, while the others run on.
    """
    pace = random.Random(seed)
    runs = {}
    try:
        for number in range(times + len(folders)):
            folder = folders[number % len(folders)]
            if folder in runs:
                yield runs.pop(folder).wait()
            if number < times:
                reset(folder)
                runs[folder] = _Run(command, folder, number, pace.uniform(0, longest_s))
    finally:
        for run in runs.values():
            run.wait()


def seconds_of(command, folder):
    """How long an undisturbed command takes in a folder at this moment, which differs from machine to machine."""
    took_s = []
    for _ in range(2):  # the first time it may have to come from the disk
        begin = time.monotonic()
        subprocess.run(command, cwd=folder, check=True)
        took_s.append(time.monotonic() - begin)
    return min(took_s)


class _Run:
    def __init__(self, command, folder, number, after_s):
        self.folder, self.number, self.after_s = folder, number, after_s
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        # On a thread, as what a test does with another death may take its time.
        self.killer = threading.Timer(after_s, os.killpg, (self.process.pid, signal.SIGKILL))
        self.killer.start()

    def wait(self):
        self.killer.join()  # before the process is waited for, so that the group is there
        self.process.wait()
        while _group_runs(self.process.pid):
            time.sleep(0.001)
        with self.output:
            self.output.seek(0)
            output = self.output.read().decode(errors="replace")
        return Death(self.number, self.after_s, self.process.returncode, output, self.folder)


def _group_runs(group):
    """Whether any process of a group runs: dead ones that nobody has waited for keep the group, and do not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False
