"""Runs under kills, under many writers, on locked databases and full disks: nothing is lost, and nothing is there twice."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from array import array

import pytest
from faults import ERRORS, calls, every_fault, inject
from kills import kill_in_folders, seconds_of
from run_programs import LOOKER, look
from test_sqlite import on_a_small_disk, query

THREADS = 4

# Each thread counts in a file what has returned. Arguments: how many points each thread logs; 0: until it is killed. With
# a second one all log into one series, the thread's number each.
LOGGER = r"""
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <within.h>
#include <within/run.h>

enum { THREADS = 4 };
typedef struct { int64_t returned; char apart[56]; } count;
static count *counts;
static wi_run *run;
static int64_t each;
static const char *shared;

static void *log_points(void *number) {
    count *mine = &counts[(intptr_t)number];
    char name[16];
    snprintf(name, sizeof name, "m%d", (int)(intptr_t)number);
    for (int64_t i = 0; !each || i < each; i++) {
        wi_run_metric(run, shared ? shared : name, i, shared ? (double)(intptr_t)number : (double)i / 8);
        __atomic_store_n(&mine->returned, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

int main(int argc, char **arguments) {
    pthread_t threads[THREADS];
    each = atoll(arguments[1]);
    shared = argc > 2 ? arguments[2] : NULL;
    int file = open("counts", O_RDWR | O_CREAT, 0600);
    if (ftruncate(file, sizeof(count) * THREADS)) return 1;
    counts = mmap(NULL, sizeof(count) * THREADS, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    within (opened, wi_run("logger")) {
        run = opened;
        wi_run_param(run, "each", "%s", arguments[1]);
        for (intptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, log_points, (void *)i);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    }
    return 0;
}
"""

def start_anew(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def returned(folder):
    """How many calls of each thread had returned."""
    path = folder / "counts"
    raw = path.read_bytes() if path.exists() else b""
    return [int.from_bytes(raw[64 * i : 64 * i + 8], "little") for i in range(THREADS)]


def wait_for_points(folder):
    while sum(returned(folder)) < 1000:
        time.sleep(0.005)


PACKED = {4: bytearray(), 8: bytearray()}


def packed(first, count, width):
    """The values first / 8, (first + 1) / 8, … as a chunk has them, in `width` bytes each."""
    known = PACKED[width]
    if len(known) < (first + count) * width:
        more = array("d" if width == 8 else "f", (i / 8 for i in range(len(known) // width, first + count)))
        if sys.byteorder == "little":
            more.byteswap()
        known += more.tobytes()
    return known[first * width : (first + count) * width]


def count_points(conn, series):
    """How many points a series has, all of which are as the logger's thread has logged them, in order."""
    count = 0
    chunks = "SELECT position, count, step_base, step_stride, steps, points FROM chunk WHERE series = ? ORDER BY position"
    for position, more, base, stride, steps, points in conn.execute(chunks, (series,)):
        assert (position, base, steps) == (count, count, b"") and (stride == 1 or more == 1)
        assert points == packed(count, more, len(points) // more)
        count += more
    return count


def numbers(code, blob):
    """The big-endian numbers of a blob, by the letter of their array."""
    found = array(code, bytes(blob))
    if sys.byteorder == "little":
        found.byteswap()
    return found


def read_series(path, name):
    """The steps and values of a series of any kind, from its chunks as docs/formats/runs.md has them."""
    chunks = f"SELECT chunk.count, step_base, step_stride, steps, points FROM chunk JOIN series ON series.id = series WHERE name = '{name}' ORDER BY position"
    for count, base, stride, steps, points in query(path, chunks):
        offsets = numbers("?BHxIxxxQ"[len(steps) // count], steps) if steps else [0] * count
        values = numbers("d" if len(points) == 8 * count else "f", points)
        for i in range(count):
            yield base + i * stride + offsets[i], values[i]


def check_points(conn, run, counts):
    """Of each thread the points whose call had returned, in order; at most the one in flight is there unsaid."""
    for thread, returned_calls in enumerate(counts):
        found = conn.execute("SELECT id, count FROM series WHERE run = ? AND name = ?", (run, f"m{thread}")).fetchone()
        series, told = found or (0, 0)
        count = count_points(conn, series)
        assert count - returned_calls in (0, 1), (thread, returned_calls, count)
        assert told == count


def check_dead(compiled, folder):
    """What a killed logger leaves, after somebody has looked."""
    look(compiled, folder)
    assert not (folder / "runs.db.live").exists(), os.listdir(folder / "runs.db.live")
    conn = sqlite3.connect(folder / "runs.db")
    try:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = conn.execute("SELECT id, status FROM run WHERE name = 'logger'").fetchall()
        counts = returned(folder)
        assert len(found) == 1 or (not found and not any(counts))
        for run, status in found:
            check_points(conn, run, counts)
            assert not any(counts) or conn.execute("SELECT key FROM param").fetchall() == [("each",)]
            return status, sum(counts)
        return "none", 0
    finally:
        conn.close()


def kill_many(compiled, folder, each, times, longer_s=0):
    """The statuses, and the most points, of loggers that were killed at random moments.

    In the time that one takes that logs `each` points, or one point if there is no end of them, and so much longer.
    """
    folders = [folder / str(i) for i in range(2)]
    for one in folders:
        one.mkdir()
    longest_s = seconds_of([compiled(LOGGER), str(each or 1)], folders[0]) + longer_s
    statuses, most = [], 0
    for death in kill_in_folders([compiled(LOGGER), str(each)], folders, times, times, longest_s, start_anew):
        assert death.output == "" and death.status in (-9, 0), death
        status, points = check_dead(compiled, death.folder)
        assert status in (("KILLED", "none") if not each else ("KILLED", "FINISHED", "none")), death
        statuses.append(status)
        most = max(most, points)
    return statuses, most


# ---- kill -9 ----


def test_kills_while_four_threads_log_lose_and_double_nothing(compiled, tmp_path):
    statuses, most = kill_many(compiled, tmp_path, 0, 10, 0.1)
    assert "KILLED" in statuses and most > 1000


def test_kills_while_a_run_ends_lose_and_double_nothing(compiled, tmp_path):
    _, most = kill_many(compiled, tmp_path, 5000, 12)
    assert most > 1000


def test_kills_while_the_database_is_made_leave_one_that_can_be_used(compiled, tmp_path):
    kill_many(compiled, tmp_path, 1, 12)


@pytest.mark.long
@pytest.mark.parametrize(("each", "longer_s"), [(0, 0.15), (20000, 0), (1, 0)], ids=["logging", "ending", "beginning"])
def test_three_hundred_kills(compiled, tmp_path, each, longer_s):
    statuses, most = kill_many(compiled, tmp_path, each, 300, longer_s)
    assert statuses.count("KILLED") > 10 and most >= each


def test_kills_while_four_threads_log_into_one_series_keep_the_order_of_each(compiled, tmp_path):
    folders = [tmp_path / "0", tmp_path / "1"]
    for folder in folders:
        folder.mkdir()
    for death in kill_in_folders([compiled(LOGGER), "0", "all"], folders, 6, 3, 0.08, start_anew):
        look(compiled, death.folder)
        steps_of = [[], [], [], []]
        for step, thread in read_series(death.folder / "runs.db", "all"):
            steps_of[int(thread)].append(step)
        for steps, count in zip(steps_of, returned(death.folder)):
            assert len(steps) - count in (0, 1) and steps == list(range(len(steps))), death


def test_a_killed_looker_leaves_the_dead_to_the_next(compiled, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    logger = subprocess.Popen([compiled(LOGGER), "0"], cwd=victim)
    wait_for_points(victim)
    logger.kill()
    logger.wait()
    folders = [tmp_path / "0", tmp_path / "1"]
    for folder in folders:
        folder.mkdir()

    def copy(folder):
        shutil.rmtree(folder)
        shutil.copytree(victim, folder)

    for death in kill_in_folders([compiled(LOOKER)], folders, 6, 5, 0.2, copy):
        status, points = check_dead(compiled, death.folder)
        assert status == "KILLED" and points == sum(returned(victim))


# ---- kill -9 in a compaction ----

# Many series of many chunks, each of a few points: what a looker merges when this is killed.
SCATTERED = r"""
#include <stdio.h>
#include <unistd.h>
#include <within.h>
#include <within/run.h>
enum { SERIES = 1000, ROUNDS = 4, EACH = 5 };
int main(void) {
    char name[16];
    within (run, wi_run("scattered"))
        for (int round = 0;; round++) {
            for (int i = 0; round < ROUNDS && i < SERIES * EACH; i++) {
                snprintf(name, sizeof name, "m%d", i % SERIES);
                wi_run_metric(run, name, round * EACH + i / SERIES, i / 7.0);
            }
            if (round == ROUNDS) puts("logged");
            fflush(stdout);
            usleep(300000);
        }
    return 0;
}
"""
CHUNKS = "SELECT series.name, position, chunk.count, steps, ms_base, ms_stride, ms, points FROM chunk JOIN series ON series = series.id ORDER BY 1, 2"


@pytest.fixture(scope="module")
def scattered(compiled, tmp_path_factory):
    """A folder with a killed run that has 1,000 series of 20 points, in chunks of 5."""
    folder = tmp_path_factory.mktemp("scattered")
    process = subprocess.Popen([compiled(SCATTERED)], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "logged\n"
    process.kill()
    process.communicate()
    return folder


def is_amid_compaction(folder):
    """Whether all is in the database but the chunks' order, and nothing says so but the folder."""
    (status, points, chunks), = query(folder / "runs.db", "SELECT status, (SELECT sum(count) FROM chunk), (SELECT count(*) FROM chunk) FROM run WHERE name = 'scattered'")
    return status == "KILLED" and points == 20_000 and chunks > 1000 and (folder / "runs.db.live").exists()


@pytest.mark.parametrize("times", [8, pytest.param(300, marks=pytest.mark.long)])
def test_a_killed_compaction_is_done_by_the_next(compiled, scattered, tmp_path, times):
    def copy(folder):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(scattered, folder)

    folders = [tmp_path / "0", tmp_path / "1"]
    for folder in folders:
        copy(folder)
    longest_s = seconds_of([compiled(LOOKER)], folders[0])
    wanted, amid = query(folders[0] / "runs.db", CHUNKS), 0
    assert len(wanted) == 1000 and {row[2] for row in wanted} == {20}
    for death in kill_in_folders([compiled(LOOKER)], folders, times, times, longest_s, copy):
        amid += is_amid_compaction(death.folder)
        look(compiled, death.folder)
        database = death.folder / "runs.db"
        assert query(database, CHUNKS) == wanted, death
        assert query(database, "SELECT status FROM run WHERE name = 'scattered'") == [("KILLED",)]
        assert query(database, "SELECT count(*), min(count), max(count) FROM series") == [(1000, 20, 20)]
        assert query(database, "PRAGMA integrity_check") == [("ok",)]
        assert not (death.folder / "runs.db.live").exists()
    assert times < 100 or amid > 3


# ---- another container ----


def test_a_container_leaves_runs_of_others_alone_alive_or_dead(compiled, tmp_path):
    """Process numbers there mean other processes, or none."""
    inside = ["unshare", "-rpf", "--mount-proc"]
    try:
        if subprocess.run([*inside, "true"], capture_output=True).returncode:
            pytest.skip("this machine allows no name spaces")
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    logger = subprocess.Popen([compiled(LOGGER), "0"], cwd=tmp_path)
    wait_for_points(tmp_path)
    for how in "alive", "dead":
        subprocess.run([*inside, compiled(LOOKER)], cwd=tmp_path, check=True)
        assert query(tmp_path / "runs.db", "SELECT status FROM run WHERE name = 'logger'") == [("RUNNING",)], how
        logger.kill()
        logger.wait()
    assert check_dead(compiled, tmp_path)[0] == "KILLED"


# ---- many writers ----


def test_eight_processes_log_into_one_database(compiled, tmp_path):
    programs = [subprocess.Popen([compiled(LOGGER), "20000"], cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    outputs = [each.communicate(timeout=120)[1] for each in programs]
    assert [each.returncode for each in programs] == [0] * 8 and outputs == [""] * 8
    database = tmp_path / "runs.db"
    assert query(database, "SELECT status, count(*) FROM run GROUP BY status") == [("FINISHED", 8)]
    assert query(database, "SELECT sum(count), min(count), count(*) FROM series") == [(8 * THREADS * 20000, 20000, 8 * THREADS)]
    assert query(database, "PRAGMA integrity_check") == [("ok",)]
    assert not (tmp_path / "runs.db.live").exists()


# ---- locked ----

# Logs, says so, and ends when it is told to. The argument is the timeout.
PATIENT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <within.h>
#include <within/run.h>
int main(int argc, char **arguments) {
    (void)argc;
    setvbuf(stdout, NULL, _IOLBF, 0);
    within (run, wi_run("patient", .busy_timeout_s = atof(arguments[1]))) {
        puts("begun");
        getchar();
        for (int64_t i = 0; i < 100000; i++) wi_run_metric(run, "energy", i, (double)i);
        puts("logged");
        getchar();
    }
    puts("ended");
    return 0;
}
"""


class Locked:
    """The database, held by another connection."""

    def __init__(self, path):
        self.conn = sqlite3.connect(path, isolation_level=None)
        self.conn.execute("BEGIN IMMEDIATE")

    def release(self):
        self.conn.execute("ROLLBACK")
        self.conn.close()


def start_patient(compiled, folder, timeout_s):
    return subprocess.Popen(
        [compiled(PATIENT), str(timeout_s)], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def tell(process):
    process.stdin.write("\n")
    process.stdin.flush()


def hold_while_one_ends_and_another_begins(compiled, folder, seconds):
    database = folder / "runs.db"
    first = start_patient(compiled, folder, 120)
    assert first.stdout.readline() == "begun\n"
    locked = Locked(database)
    second = start_patient(compiled, folder, 120)
    tell(first)
    assert first.stdout.readline() == "logged\n"  # though the database is locked
    tell(first)
    time.sleep(seconds)
    assert first.poll() is None and second.poll() is None
    locked.release()
    assert first.stdout.readline() == "ended\n" and first.wait() == 0
    assert second.stdout.readline() == "begun\n"
    assert second.communicate("\n\n", timeout=60) == ("logged\nended\n", "") and first.communicate() == ("", "")
    assert query(database, "SELECT status FROM run WHERE name = 'patient'") == [("FINISHED",)] * 2
    assert query(database, "SELECT count, last FROM series") == [(100000, 99999)] * 2
    assert not (folder / "runs.db.live").exists()


def test_a_locked_database_makes_both_ends_wait_and_nothing_else(compiled, tmp_path):
    hold_while_one_ends_and_another_begins(compiled, tmp_path, 0.5)


@pytest.mark.long
def test_a_database_that_is_locked_for_a_minute(compiled, tmp_path):
    hold_while_one_ends_and_another_begins(compiled, tmp_path, 61)


def test_a_database_that_stays_locked_loses_nothing(compiled, tmp_path):
    look(compiled, tmp_path)
    database = tmp_path / "runs.db"
    process = start_patient(compiled, tmp_path, 0.3)
    assert process.stdout.readline() == "begun\n"
    locked = Locked(database)
    output, said = process.communicate("\n\n", timeout=60)
    assert output.endswith("ended\n") and process.returncode == 0
    assert said.count("\n") <= 2 and "it stays in" in said
    assert query(database, "SELECT status FROM run WHERE name = 'patient'") == [("RUNNING",)]
    locked.release()
    look(compiled, tmp_path)
    assert query(database, "SELECT status FROM run WHERE name = 'patient'") == [("FINISHED",)]
    assert query(database, "SELECT count, last FROM series") == [(100000, 99999)]
    assert not (tmp_path / "runs.db.live").exists()


def test_a_begin_that_does_not_wait_raises(compiled, tmp_path):
    look(compiled, tmp_path)
    locked = Locked(tmp_path / "runs.db")
    done = start_patient(compiled, tmp_path, 0.1)
    _, said = done.communicate("", timeout=60)
    locked.release()
    assert done.returncode == 1 and "WI_DATABASE_BUSY" in said
    assert query(tmp_path / "runs.db", "SELECT count(*) FROM run") == [(1,)]
    assert not (tmp_path / "runs.db.live").exists()


# ---- clocks, and very many names ----

BACKWARDS = r"""
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
static long calls;
int clock_gettime(clockid_t clock, struct timespec *time) {
    int answer = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec -= 1000 * __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return answer;
}
"""


def test_a_clock_that_is_set_back_changes_no_order(compiled, compile_c, build, tmp_path):
    clock = compile_c(tmp_path, BACKWARDS, "-shared", "-fPIC", "-D_GNU_SOURCE")
    environment = os.environ | {"LD_PRELOAD": str(clock)}
    subprocess.run([compiled(LOGGER), "3000"], cwd=tmp_path, env=environment, check=True)
    conn = sqlite3.connect(tmp_path / "runs.db")
    check_points(conn, 1, [3000] * THREADS)
    assert conn.execute("SELECT status, ended_ms < started_ms FROM run").fetchall() == [("FINISHED", 1)]
    times = [ms for ms, in conn.execute("SELECT ms FROM metric WHERE name = 'm0' ORDER BY position")]
    conn.close()
    assert times == sorted(times, reverse=True) and times[-1] <= times[0] - 1_000_000 * 2998
    if (build / "src/cli/within-runs").exists():
        listed = subprocess.run([build / "src/cli/within", "runs"], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert listed.stdout.splitlines()[1].endswith("  0 s")


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_clock_that_is_set_back_neither_kills_nor_revives(compiled, compile_c, tmp_path, has_folder):
    """Without the folder of the run, and so without its lock, its process is told from others by its start alone."""
    clock = compile_c(tmp_path, BACKWARDS, "-shared", "-fPIC", "-D_GNU_SOURCE")
    environment = os.environ | {"LD_PRELOAD": str(clock)}
    logger = subprocess.Popen([compiled(LOGGER), "0"], cwd=tmp_path)
    wait_for_points(tmp_path)
    if not has_folder:
        (folder,) = (path for path in (tmp_path / "runs.db.live").iterdir() if path.name[0] != ".")
        folder.rename(tmp_path / "elsewhere")
    statuses = "SELECT status, ended_ms >= started_ms FROM run WHERE name = 'logger'"
    for status in ("RUNNING", None), ("KILLED", 1):
        subprocess.run([compiled(LOOKER)], cwd=tmp_path, env=environment, check=True)
        assert query(tmp_path / "runs.db", statuses) == [status]
        logger.kill()
        logger.wait()
    if has_folder:
        assert check_dead(compiled, tmp_path)[0] == "KILLED"


NAMES = r"""
#include <stdio.h>
#include <stdlib.h>
#include <within.h>
#include <within/run.h>
int main(int argc, char **arguments) {
    char name[32];
    (void)argc;
    within (run, wi_run("names"))
        for (int again = 0; again < 2; again++)
            for (int i = 0; i < atoi(arguments[1]); i++) {
                snprintf(name, sizeof name, "metric/%d", i);
                wi_run_metric(run, name, again, i);
            }
    return 0;
}
"""


@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_run_has_as_many_metrics_as_it_likes(compiled, tmp_path, count):
    subprocess.run([compiled(NAMES), str(count)], cwd=tmp_path, check=True)
    found = query(tmp_path / "runs.db", "SELECT count(*), min(count), max(count), sum(last), count(DISTINCT name) FROM series")
    assert found == [(count, 2, 2, count * (count - 1) / 2, count)]


# ---- networks ----

NETWORK = r"""
#include <sys/vfs.h>
int fstatfs(int file, struct statfs *about) {
    (void)file;
    about->f_type = 0x6969;
    return 0;
}
int fstatfs64(int file, struct statfs64 *about) {
    (void)file;
    about->f_type = 0x6969;
    return 0;
}
"""


def test_on_a_network_nothing_is_shared_and_that_is_said_once(compiled, compile_c, tmp_path):
    network = compile_c(tmp_path, NETWORK, "-shared", "-fPIC", "-D_GNU_SOURCE")
    environment = os.environ | {"LD_PRELOAD": str(network)}
    logger = subprocess.Popen([compiled(LOGGER), "0"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for_points(tmp_path)
    logger.kill()
    assert logger.communicate()[1].count("it is on a file system of a network") == 1
    assert not (tmp_path / "runs.db-wal").exists()
    look(compiled, tmp_path)
    (run, status), = query(tmp_path / "runs.db", "SELECT id, status FROM run WHERE name = 'logger'")
    conn = sqlite3.connect(tmp_path / "runs.db")
    check_points(conn, run, returned(tmp_path))
    conn.close()
    assert status == "KILLED" and sum(returned(tmp_path)) > 100


# ---- full disks, and every system call ----

FILLING = r"""
#include <stdio.h>
#include <within.h>
#include <within/run.h>
int main(void) {
    volatile int64_t logged = 0;
    wi_try {
        within (run, wi_run("filling")) {
            wi_try
                for (;; logged++) wi_run_metric(run, "energy", logged, 1.0 / (double)(logged + 1));
            wi_catch(WI_DISK_FULL, error) printf("full\n");
            wi_run_finish(run);
        }
    }
    wi_catch(WI_ERROR, error) printf("%s\n", wi_error_message(error));
    printf("%lld\n", (long long)logged);
    return 0;
}
"""


def test_a_full_disk_loses_nothing_that_had_returned(compiled, tmp_path):
    script = f"cd {tmp_path}/disk && {compiled(FILLING)} && ls && cp -r runs.db* {tmp_path}"
    lines = on_a_small_disk(tmp_path, "12m", "sh", "-c", script)
    assert "full" in lines and lines[-1] == "status 0", lines
    logged = next(int(line) for line in lines if line.isdigit())
    look(compiled, tmp_path)
    assert query(tmp_path / "runs.db", "SELECT status, count FROM run JOIN series ON run.id = run") == [("FINISHED", logged)]


SHORT = r"""
#include <stdio.h>
#include <within.h>
#include <within/run.h>
static void work(void *unused) {
    (void)unused;
    within (run, wi_run("short")) {
        wi_run_param(run, "sigma", "10");
        for (int i = 0; i < 10; i++) wi_run_metric(run, "energy", i, i);
        wi_run_text(run, "notes.txt", "text");
        puts("logged");
    }
    puts("ended");
}
int main(void) {
    wi_error *error;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (wi_call(work, NULL, &error)) return 0;
    fprintf(stderr, "%s: %s\n", wi_error_kind(error)->name, wi_error_message(error));
    wi_error_free(error);
    return 3;
}
"""


def test_a_disk_without_room_for_a_journal_is_told_and_no_run_is_left(compiled, tmp_path):
    script = f"cd {tmp_path}/disk && {compiled(SHORT)}; echo status $?; ls -A runs.db.live; cp runs.db* {tmp_path}"
    lines = on_a_small_disk(tmp_path, "900k", "sh", "-c", script)
    assert lines[0].startswith("WI_DISK_FULL: ") and "status 3" in lines, lines
    assert not (tmp_path / "runs.db.live").exists()
    assert query(tmp_path / "runs.db", "SELECT count(*) FROM run") == [(0,)]


def check_after_fault(compiled, folder, told, output):
    look(compiled, folder)
    assert not (folder / "runs.db.live").exists(), told
    rows = query(folder / "runs.db", "SELECT status, (SELECT sum(count) FROM series WHERE run = run.id) FROM run WHERE name = 'short'")
    assert query(folder / "runs.db", "PRAGMA integrity_check") == [("ok",)], told
    assert len(rows) == 1 or "logged" not in output, told
    for status, points in rows:
        assert status != "RUNNING", told
        assert "logged" not in output or points == 10, (rows, told)


def check_every_fault(compiled, folder, errors):
    folder.mkdir()
    for call, error, done in every_fault([compiled(SHORT)], folder, lambda: start_anew(folder), errors=errors, steady=False, cwd=folder):
        told = (call, error, done.stdout, done.stderr)
        assert error == "kill" or done.returncode in (0, 3), told
        check_after_fault(compiled, folder, told, done.stdout)


@pytest.mark.parametrize("name", ["open", "rename", "mkdir", "fallocate", "mmap", "truncate"])
def test_whichever_call_fails_what_was_logged_is_there(compiled, tmp_path, name):
    check_every_fault(compiled, tmp_path / "folder", {name: ERRORS[name][:1]})


def notes_written(done):
    """The numbers of the calls that write into notes; the last is that of the end."""
    return [call.number for call in done if call.name == "write" and call.path.endswith("/notes")]


def test_an_end_whose_note_finds_no_room_is_in_the_database(compiled, tmp_path):
    folder, at, hit = tmp_path / "folder", 1, []
    folder.mkdir()
    for _ in range(20):  # threads make calls when they like
        start_anew(folder)
        at = notes_written(calls([compiled(SHORT)], folder, cwd=folder))[-1]
        start_anew(folder)
        hit = notes_written(inject([compiled(SHORT)], folder, at, "ENOSPC", cwd=folder).calls)
        if hit[-1] == at:
            break
    assert hit[-1] == at
    assert query(folder / "runs.db", "SELECT status, sum(count) FROM run JOIN series ON run = run.id") == [("FINISHED", 10)]
    assert not (folder / "runs.db.live").exists()


@pytest.mark.long
def test_whatever_befalls_any_call_what_was_logged_is_there(compiled, tmp_path):
    check_every_fault(compiled, tmp_path / "folder", ERRORS)
