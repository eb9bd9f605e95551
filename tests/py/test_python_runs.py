"""Runs of Python programs that are killed at any moment: all is there whose call had returned, and nothing twice."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from kills import kill_in_folders, seconds_of
from test_sqlite import on_a_small_disk

# Each thread counts in shared memory the calls that have returned.
WRITER = """
import mmap, sys, threading
import within as wi

THREADS = 4
with open("returned", "w+b") as file:
    file.truncate(8 * THREADS)
    returned = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")

def work(run, number):
    log, name = run.log_metric, f"thread {number}"
    for i in range(int(sys.argv[1])):
        log(name, i, i)
        returned[number] = i + 1

with wi.run("doomed", "runs.db", params={"threads": THREADS}) as run:
    threads = [threading.Thread(target=work, args=(run, number), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""

READER = """
import array, json, sys
import within as wi

found, counted = [], array.array("q")

def is_count(series):
    length = len(series.values)
    counted.extend(range(len(counted), length))
    return series.steps == counted[:length] and series.values == array.array("d", counted[:length])

for folder in sys.argv[1:]:
    try:
        runs = wi.runs(f"{folder}/runs.db")
    except (FileNotFoundError, wi.DataError):
        runs = []  # killed before there was one
    series = {name: run.series(name) for run in runs for name in run.metrics}
    found.append({
        "status": [run.status for run in runs],
        "params": [run.params for run in runs],
        "counts": {name: len(points.values) for name, points in series.items()},
        "exact": all(map(is_count, series.values())),
    })
print(json.dumps(found))
"""


@pytest.fixture
def python(build):
    """A function that runs a script with the staged package."""
    environment = {**os.environ, "PYTHONPATH": str(build / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    if subprocess.run([sys.executable, "-c", "import within._runs"], env=environment, capture_output=True).returncode:
        pytest.skip(f"{sys.executable} has no module for runs in {build}/site")

    def run(script, *arguments, **options):
        command = [sys.executable, "-c", script, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **options)

    run.environment = environment
    return run


def check(death, folder, found):
    """What the database says of a run that was killed, against what had returned."""
    assert death.status == -9, death
    returned = [0] * 4
    if (folder / "returned").exists():
        content = (folder / "returned").read_bytes()
        returned = [int.from_bytes(content[i : i + 8], sys.byteorder) for i in range(0, len(content), 8)]
    if not found["status"]:
        assert sum(returned) == 0, death
        return 0
    assert found["status"] == ["KILLED"] and found["exact"], (death, found)
    for number, count in enumerate(returned):
        # One more may have got in before the kill kept it from being counted.
        assert found["counts"].get(f"thread {number}", 0) in (count, count + 1), (death, found, returned)
    conn = sqlite3.connect(folder / "runs.db")
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    conn.close()
    assert not list(folder.glob("runs.db.live/*"))
    return sum(returned)


def check_all(python, deaths):
    """Read the databases of some deaths; how many calls had returned in all."""
    done = python(READER, *(folder for _, folder in deaths))
    assert done.returncode == 0, done.stderr
    points = sum(check(death, folder, found) for (death, folder), found in zip(deaths, json.loads(done.stdout)))
    for _, folder in deaths:
        shutil.rmtree(folder)
    return points


@pytest.mark.parametrize("times", [8, pytest.param(300, marks=pytest.mark.long)])
def test_a_kill_loses_no_point_and_doubles_none(python, tmp_path, monkeypatch, times):
    for name, value in python.environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "writer.py").write_text(WRITER)
    command = [sys.executable, tmp_path / "writer.py"]
    longest_s = 0.2 + seconds_of([*command, "1"], tmp_path)
    deaths, points, both = [], 0, [tmp_path / "a", tmp_path / "b"]
    for death in kill_in_folders([*command, "1000000000"], both, times, 7, longest_s, lambda folder: folder.mkdir()):
        deaths.append((death, death.folder.rename(tmp_path / str(death.number))))
        if len(deaths) == 20 or death.number == times - 1:
            points += check_all(python, deaths)
            deaths = []
    assert points > 1000 * times  # most were killed while they logged


def test_eight_processes_of_two_threads_log_into_one_database(python, tmp_path):
    script = """
import multiprocessing, threading
import within as wi

def work(number, together):
    with wi.run(f"worker {number}", "runs.db", params={"number": number}) as run:
        def log(thread):
            for i in range(20_000):
                run.log(i, **{f"m{thread}": i * number})
        threads = [threading.Thread(target=log, args=(thread,)) for thread in range(2)]
        together.wait()  # until all eight are in their runs
        for thread in threads: thread.start()
        for thread in threads: thread.join()

if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    together = fork.Barrier(8)
    workers = [fork.Process(target=work, args=(number, together)) for number in range(8)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    runs = wi.runs("runs.db")
    assert sorted(run.name for run in runs) == [f"worker {number}" for number in range(8)]
    for run in runs:
        number = int(run.params["number"])
        assert run.status == "FINISHED" and sorted(run.metrics) == ["m0", "m1"], run
        for name in run.metrics:
            assert list(run.series(name).values) == [i * number for i in range(20_000)]
"""
    (tmp_path / "work.py").write_text(script)
    command = [sys.executable, "work.py"]
    done = subprocess.run(command, cwd=tmp_path, env=python.environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_database_that_another_program_holds_delays_no_call(python, tmp_path):
    script = """
import sqlite3, subprocess, sys, time
import within as wi
with wi.run("patient", "runs.db") as run:
    holder = subprocess.Popen([sys.executable, "-c", '''
import sqlite3, sys
conn = sqlite3.connect("runs.db", isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
'''], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    for i in range(200_000):
        run.log(i, x=i)
    assert holder.poll() is None
    holder.communicate()
print(len(wi.runs("runs.db")[0].series("x").values))
"""
    done = python(script, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "200000\n"), done.stderr


@pytest.mark.long
def test_who_waits_for_room_lets_the_thread_go_on_that_holds_the_database(python, tmp_path):
    """A GiB of points is behind, and what would let them in needs the GIL."""
    script = """
import sqlite3, threading, time
import within as wi
names = {f"m{i}": 0.5 for i in range(1000)}
calls = 0
with wi.run("full", "runs.db") as run:
    conn = sqlite3.connect("runs.db", isolation_level=None, check_same_thread=False)
    conn.execute("BEGIN IMMEDIATE")
    def release():
        before = -1
        while calls < 30_000 or calls != before:  # until it waits
            before = calls
            time.sleep(1)
        conn.close()
    thread = threading.Thread(target=release)
    thread.start()
    for calls in range(34_000):
        run.log_metrics(names, calls)
    thread.join()
print(len(wi.runs("runs.db")[0].series("m999").values))
"""
    done = python(script, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "34000\n"), done.stderr
    assert "and so does who logs" in done.stderr


def test_a_full_disk_ends_as_an_oserror_not_as_a_crash(python, tmp_path):
    """The file size limit stands for it: the journal cannot grow."""
    script = """
import resource, signal
import within as wi
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with wi.run("full", "runs.db") as run:
        run.log(x=1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        try:
            run.log_text("x" * 100_000, "large.txt")
        except OSError as error:
            print(type(error).__name__, error.errno)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
except OSError as error:
    print(error)
print(wi.runs("runs.db")[0].status)
"""
    done = python(script, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.endswith("FINISHED\n"), done.stdout + done.stderr
    assert done.stdout.startswith("OSError 27") and not Path(tmp_path / "runs.db.artifacts/large.txt").exists()


def test_a_full_disk_is_an_oserror_and_what_had_returned_is_kept(python, tmp_path, monkeypatch):
    script = """
import within as wi
logged = 0
try:
    with wi.run("filling", "runs.db") as run:
        while True:
            run.log(logged, x=1 / (logged + 1))
            logged += 1
except OSError as error:
    print(type(error).__name__, error.errno)
print(logged)
"""
    for name, value in python.environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "fill.py").write_text(script)
    words = f"cd {tmp_path}/disk && {sys.executable} {tmp_path}/fill.py; cp -r runs.db* {tmp_path}"
    lines = on_a_small_disk(tmp_path, "12m", "sh", "-c", words)
    assert "OSError 28" in lines, lines
    logged = int(lines[lines.index("OSError 28") + 1])
    read = 'import within as wi; [run] = wi.runs("runs.db"); print(run.status, len(run.series("x").values))'
    assert python(read, cwd=tmp_path).stdout == f"FAILED {logged}\n" and logged > 10_000
