"""Databases under many writers, under kills, on full disks and with every system call failing: C and Python."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys

import pytest
from faults import ERRORS, every_fault
from kills import kill_in_folders, seconds_of

WRITERS = 8

# Each transaction reads a count and writes it, plus one: without the lock taken first, updates would be lost.
C_WRITER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <within/sqlite.h>

static void add_one(wi_database *db, const char *writer, int i) {
    char sql[200];
    sqlite3_stmt *select;
    within (wi_transaction(db, .timeout_ms = 120000)) {
        wi_sqlite_check(db->handle, sqlite3_prepare_v2(db->handle, "SELECT n FROM counter", -1, &select, NULL), "read");
        wi_sqlite_check(db->handle, sqlite3_step(select), "read");
        int n = sqlite3_column_int(select, 0);
        sqlite3_finalize(select);
        snprintf(sql, sizeof sql, "INSERT INTO done VALUES (%s, %d); UPDATE counter SET n = %d", writer, i, n + 1);
        wi_database_execute(db, sql);
    }
}

int main(int count, char **arguments) {
    (void)count;
    within (db, wi_database(arguments[1], .busy_timeout_ms = 120000, .synchronous = WI_SYNCHRONOUS_NORMAL)) {
        within (wi_transaction(db))
            wi_database_execute(db, "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, n);"
                                    "CREATE TABLE IF NOT EXISTS done (writer, i, UNIQUE (writer, i));"
                                    "INSERT OR IGNORE INTO counter VALUES (1, 0)");
        for (int i = 0; i < atoi(arguments[3]); i++) add_one(db, arguments[2], i);
    }
    return 0;
}
"""

PYTHON_WRITER = r"""
import sqlite3, sys
import within

path, writer, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
conn = sqlite3.connect(path)
conn.execute("PRAGMA synchronous = NORMAL")
with within.transaction(conn, timeout=120):
    conn.execute("CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, n)")
    conn.execute("CREATE TABLE IF NOT EXISTS done (writer, i, UNIQUE (writer, i))")
    conn.execute("INSERT OR IGNORE INTO counter VALUES (1, 0)")
for i in range(count):
    with within.transaction(conn, timeout=120):
        n, = conn.execute("SELECT n FROM counter").fetchone()
        conn.execute("INSERT INTO done VALUES (?, ?)", (writer, i))
        conn.execute("UPDATE counter SET n = ?", (n + 1,))
conn.close()
"""


@pytest.fixture
def python(build, monkeypatch):
    """The command of an interpreter that finds this build's package; skips the test if it has none."""
    monkeypatch.setenv("PYTHONPATH", str(build / "site"))
    command = [sys.executable, "-c"]
    if subprocess.run([*command, "import within, sqlite3"], capture_output=True).returncode != 0:
        pytest.skip(f"{build / 'site'} has no extension module for {sys.executable}")
    return command


def query(path, sql):
    conn = sqlite3.connect(path)
    try:
        return conn.execute(sql).fetchall()
    finally:
        conn.close()


def write_together(commands):
    """Run them all at once; none may fail, or have anything to say."""
    running = [subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for c in commands]
    outputs = [each.communicate(timeout=120)[0] for each in running]
    assert [each.returncode for each in running] == [0] * len(commands), outputs
    assert outputs == [""] * len(commands)


def check_counts(path, each):
    assert query(path, "SELECT n FROM counter") == [(WRITERS * each,)]
    assert query(path, "SELECT writer, count(*) FROM done GROUP BY writer") == [(w, each) for w in range(WRITERS)]
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_eight_writers_lose_no_update_on_a_database_that_they_make_at_once(compiled, tmp_path):
    for attempt in range(3):
        path = tmp_path / f"runs {attempt}.db"
        write_together([[compiled(C_WRITER), path, str(writer), "40"] for writer in range(WRITERS)])
        check_counts(path, 40)


def test_eight_writers_in_c_and_python_lose_no_update(compiled, python, tmp_path):
    path, each = tmp_path / "runs.db", "60"
    program = compiled(C_WRITER)
    commands = [
        [program, path, str(writer), each] if writer % 2 else [*python, PYTHON_WRITER, path, str(writer), each]
        for writer in range(WRITERS)
    ]
    write_together(commands)
    check_counts(path, int(each))


# ---- kill -9 ----

# Transaction n writes row n of `whole` and rows n of `part`, three of them: in a savepoint, around one that is taken
# back. Then n goes to a file.
C_VICTIM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <within.h>
#include <within/sqlite.h>

static void store(wi_database *db, const char *format, int n, int i) {
    char sql[200];
    snprintf(sql, sizeof sql, format, n, i);
    wi_database_execute(db, sql);
}
static void store_whole(wi_database *db, int n) {
    within (wi_transaction(db)) {
        store(db, "INSERT INTO whole VALUES (%d)", n, 0);
        within (wi_transaction(db)) {
            for (int i = 0; i < 3; i++) {
                store(db, "INSERT INTO part VALUES (%d, %d, randomblob(700))", n, i);
                within (wi_suppress(WI_VALUE_ERROR)) {
                    within (wi_transaction(db)) {
                        store(db, "INSERT INTO part VALUES (%d, %d, randomblob(700))", n, 99);
                        wi_raise(WI_VALUE_ERROR, "diverged");
                    }
                }
            }
        }
    }
}
static int newest(wi_database *db) {
    sqlite3_stmt *select;
    wi_sqlite_check(db->handle, sqlite3_prepare_v2(db->handle, "SELECT max(n) FROM whole", -1, &select, NULL), "read");
    wi_sqlite_check(db->handle, sqlite3_step(select), "read");
    int n = sqlite3_column_int(select, 0);
    sqlite3_finalize(select);
    return n;
}
int main(int count, char **arguments) {
    (void)count;
    int committed = open("committed", O_WRONLY | O_CREAT, 0600);
    within (db, wi_database("runs.db", .synchronous = WI_SYNCHRONOUS_OFF)) {
        wi_database_execute(db, arguments[1]);
        within (wi_transaction(db))
            wi_database_execute(db, "CREATE TABLE IF NOT EXISTS whole (n INTEGER PRIMARY KEY);"
                                    "CREATE TABLE IF NOT EXISTS part (n, i, filling, UNIQUE (n, i))");
        for (int n = newest(db) + 1;; n++) {
            store_whole(db, n);
            if (pwrite(committed, &n, sizeof n, 0) != sizeof n) return 1;
        }
    }
}
"""

PYTHON_VICTIM = r"""
import os, sqlite3, sys
import within

committed = os.open("committed", os.O_WRONLY | os.O_CREAT, 0o600)
conn = sqlite3.connect("runs.db")
conn.execute("PRAGMA synchronous = OFF")
conn.execute(sys.argv[1])

def store(n, i):
    conn.execute("INSERT INTO part VALUES (?, ?, randomblob(700))", (n, i))

with within.transaction(conn):
    conn.execute("CREATE TABLE IF NOT EXISTS whole (n INTEGER PRIMARY KEY)")
    conn.execute("CREATE TABLE IF NOT EXISTS part (n, i, filling, UNIQUE (n, i))")
n = conn.execute("SELECT max(n) FROM whole").fetchone()[0] or 0
while True:
    n += 1
    with within.transaction(conn):
        conn.execute("INSERT INTO whole VALUES (?)", (n,))
        with within.transaction(conn):
            for i in range(3):
                store(n, i)
                try:
                    with within.transaction(conn):
                        store(n, 99)
                        raise ValueError
                except ValueError:
                    pass
    os.pwrite(committed, n.to_bytes(4, sys.byteorder), 0)
"""

# Checkpoints all the time; and the older way, whose journals a killed writer leaves to the next.
MODES = {"wal": "PRAGMA wal_autocheckpoint = 5", "delete": "PRAGMA journal_mode = DELETE"}


def start_small(folder):
    """From time to time an empty folder: checks take as long as the database is."""
    database = folder / "runs.db"
    if not database.exists() or database.stat().st_size > 200_000:
        shutil.rmtree(folder)
        folder.mkdir()


def check_whole(folder):
    """What was committed is there, and nothing in part; at most the transaction in flight is there unsaid."""
    told = folder / "committed"
    committed = int.from_bytes(told.read_bytes(), sys.byteorder) if told.exists() else 0
    conn = sqlite3.connect(folder / "runs.db")
    assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    if not conn.execute("SELECT * FROM sqlite_master").fetchall():
        conn.close()
        assert committed == 0
        return 0
    whole = [n for n, in conn.execute("SELECT n FROM whole ORDER BY n")]
    parts = conn.execute("SELECT n, i FROM part ORDER BY n, i").fetchall()
    conn.close()
    assert len(whole) - committed in (0, 1)
    assert whole == list(range(1, len(whole) + 1))
    assert parts == [(n, i) for n in whole for i in range(3)]
    return len(whole)


def kill_many(command, folder, times, longest_s):
    folders = [folder / str(i) for i in range(4)]
    for each in folders:
        each.mkdir()
    deaths = kill_in_folders(command, folders, times, random.Random(times).random(), longest_s, start_small)
    found = []
    for death in deaths:
        assert (death.status, death.output) == (-9, ""), death
        found.append(check_whole(death.folder))
    assert max(found) > 10 and len(set(found)) > times / 4


def kill_many_of_python(python, folder, times, mode):
    begins_s = seconds_of([*python, "import sqlite3, within"], folder)
    kill_many([*python, PYTHON_VICTIM, MODES[mode]], folder, times, 0.1 + 2 * begins_s)


@pytest.mark.parametrize("mode", MODES)
def test_only_whole_transactions_are_there_after_each_of_a_hundred_kills(compiled, tmp_path, mode):
    kill_many([compiled(C_VICTIM), MODES[mode]], tmp_path, 100, 0.03)


def test_and_after_kills_of_python(python, tmp_path):
    kill_many_of_python(python, tmp_path, 20, "wal")


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_only_whole_transactions_are_there_after_each_of_a_thousand_kills(compiled, python, tmp_path, mode):
    (tmp_path / "c").mkdir()
    (tmp_path / "python").mkdir()
    kill_many([compiled(C_VICTIM), MODES[mode]], tmp_path / "c", 1000, 0.05)
    kill_many_of_python(python, tmp_path / "python", 200, mode)


# ---- full disks ----

FILLING = r"""
#include <stdio.h>
#include <string.h>
#include <within.h>
#include <within/sqlite.h>

static int batches;

static void fill(void *database) {
    wi_database *db = database;
    for (;; batches++)
        within (wi_transaction(db))
            for (int i = 0; i < 20; i++) wi_database_execute(db, "INSERT INTO t VALUES (randomblob(1000))");
}
static void thin_out(void *database) {
    within (wi_transaction((wi_database *)database))
        wi_database_execute(database, "DELETE FROM t WHERE rowid <= 20");
}
static void attempt(void (*what)(void *database), wi_database *db) {
    wi_error *error;
    puts(wi_call(what, db, &error) ? "done" : wi_error_kind(error)->name);
    wi_error_free(error);
}
static int print(void *unused, int columns, char **values, char **names) {
    (void)unused, (void)columns, (void)names;
    puts(values[0]);
    return 0;
}
int main(int count, char **arguments) {
    (void)count;
    within (db, wi_database(arguments[1])) {
        wi_database_execute(db, arguments[2]);
        wi_database_execute(db, "CREATE TABLE t (a)");
        attempt(fill, db);
        sqlite3_exec(db->handle, "SELECT count(*) FROM t", print, NULL, NULL);
        printf("%d\n", 20 * batches);
        sqlite3_exec(db->handle, "PRAGMA integrity_check", print, NULL, NULL);
        attempt(thin_out, db);
    }
    return 0;
}
"""


def on_a_small_disk(folder, size, *command):
    """The output of a command in a file system of its own, which lies at folder/disk."""
    (folder / "disk").mkdir()
    script = 'mount -t tmpfs -o size=$1 none "$2" || exit 99; shift 2; "$@" 2>&1; echo status $?'
    words = ["unshare", "-rm", "sh", "-c", script, "sh", size, folder / "disk", *command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode == 99:
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    return done.stdout.splitlines()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_full_disk_is_an_error_and_what_was_committed_stays(compiled, tmp_path, mode):
    pragma = f"PRAGMA journal_mode = {mode}"
    lines = on_a_small_disk(tmp_path, "600k", compiled(FILLING), tmp_path / "disk/runs.db", pragma)
    assert len(lines) == 6, lines
    kind, found, committed, integrity, afterwards, status = lines
    assert (kind, integrity, status) == ("WI_DISK_FULL", "ok", "status 0")
    assert found == committed and int(found) >= 20
    assert afterwards in ("done", "WI_DISK_FULL")  # a log needs room for what is deleted, too


def test_a_disk_without_any_room_is_named(compiled, tmp_path):
    lines = on_a_small_disk(tmp_path, "4k", compiled(FILLING), tmp_path / "disk/runs.db", "PRAGMA journal_mode")
    assert any(line.startswith("WI_DISK_FULL: ") and "disk/runs.db: " in line for line in lines), lines
    assert lines[-1] == "status 1"


# ---- every system call ----

CHANGING = r"""
#include <stdio.h>
#include <string.h>
#include <within.h>
#include <within/sqlite.h>

static void change(void *arguments) {
    within (db, wi_database(((char **)arguments)[1])) {
        wi_database_execute(db, ((char **)arguments)[2]);
        within (wi_transaction(db)) {
            wi_database_execute(db, "UPDATE t SET b = 'new' WHERE a = 1");
            within (wi_transaction(db)) wi_database_execute(db, "UPDATE t SET b = 'new' WHERE a = 2");
        }
        puts("committed");
        fflush(stdout);
    }
}
int main(int count, char **arguments) {
    (void)count;
    wi_error *error;
    if (wi_call(change, arguments, &error)) return 0;
    puts(wi_error_message(error));
    wi_error_free(error);
    return 3;
}
"""


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_whichever_call_fails_the_old_content_is_there_or_the_new(compiled, tmp_path, mode):
    template, folder = tmp_path / "template.db", tmp_path / "folder"
    conn = sqlite3.connect(template)
    conn.executescript(f"PRAGMA journal_mode = {mode}; CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    conn.close()

    def reset():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(template, folder / "runs.db")

    command = [compiled(CHANGING), folder / "runs.db", f"PRAGMA journal_mode = {mode}"]
    seen = set()
    for call, error, done in every_fault(command, folder, reset, errors=ERRORS, steady=False):
        (folder / "runs.db").chmod(0o644)
        content = {b for b, in query(folder / "runs.db", "SELECT b FROM t")}
        told = (call, error, done.stdout, done.stderr)
        assert len(content) == 1, told
        assert query(folder / "runs.db", "PRAGMA integrity_check") == [("ok",)], told
        conn = sqlite3.connect(folder / "runs.db", isolation_level=None)  # the next writer tidies up
        conn.executescript("PRAGMA journal_mode = DELETE; PRAGMA user_version = 1")
        conn.close()
        assert os.listdir(folder) == ["runs.db"], told
        committed = "committed" in done.stdout
        assert not committed or content == {"new"}, told
        if error != "kill":
            assert done.returncode in (0, 3), told
            assert done.returncode == 0 or "runs.db: " in done.stdout, told
            unknown = done.stdout.startswith("commit (whether it took place is not known): ")
            assert committed or unknown or content == {"old"}, told
        seen |= content
    assert seen == {"old", "new"}
