"""within.transaction: what is kept and what is taken back, whatever the connection's own way with transactions."""

import os
import signal
import sys
import threading

import pytest

import within

sqlite3 = pytest.importorskip("sqlite3")

LEGACY = [{"isolation_level": level} for level in (None, "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE")]
NEWER = [{"autocommit": True}, {"autocommit": False}] if sys.version_info >= (3, 12) else []


@pytest.fixture
def path(tmp_path):
    """A database with an empty table."""
    path = tmp_path / "runs.db"
    conn = sqlite3.connect(path)
    conn.executescript("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE)")
    conn.close()
    return path


@pytest.fixture
def connect(path):
    """A function that connects to the database, for the duration of the test."""
    opened = []

    def connect(**options):
        opened.append(sqlite3.connect(path, **options))
        return opened[-1]

    yield connect
    for conn in opened:
        conn.close()


@pytest.fixture(params=LEGACY + NEWER, ids=str)
def conn(request, connect):
    """A connection of each kind. At the test's end it has to be as it was, and good for another transaction."""
    conn = connect(**request.param)
    before = conn.in_transaction
    yield conn
    assert conn.in_transaction is before
    with within.transaction(conn):
        insert(conn, 77)
    assert conn.in_transaction is before
    conn.rollback()


def insert(conn, *numbers):
    for number in numbers:
        conn.execute("INSERT INTO t VALUES (?, ?)", (number, f"row {number}"))


def rows(path):
    """The numbers in the table, as another program sees them."""
    conn = sqlite3.connect(path)
    found = [number for number, in conn.execute("SELECT a FROM t ORDER BY a")]
    conn.close()
    return found


# ---- ways out ----


def test_the_end_commits_and_a_return_does_too(conn, path):
    def store():
        with within.transaction(conn) as same:
            assert same is conn
            insert(conn, 2)
            return 7

    with within.transaction(conn):
        insert(conn, 1)
        assert rows(path) == []
    assert rows(path) == [1]
    assert store() == 7
    assert rows(path) == [1, 2]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_takes_all_back(conn, path, kind):
    with pytest.raises(kind), within.transaction(conn):
        insert(conn, 1)
        raise kind
    assert rows(path) == []


def test_an_object_can_be_used_again_after_its_block(connect, path):
    conn = connect()
    transaction = within.transaction(conn)
    for number in 1, 2:
        with transaction:
            insert(conn, number)
    with transaction:
        with pytest.raises(RuntimeError, match="it is open already"), transaction:
            pass
        insert(conn, 3)
    assert rows(path) == [1, 2, 3]


def test_a_transaction_begins_with_the_lock(connect):
    conn, other = connect(isolation_level=None), connect(isolation_level=None, timeout=0)
    with within.transaction(conn), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")


# ---- nesting ----


def test_an_inner_block_is_taken_back_alone(conn, path):
    with within.transaction(conn):
        insert(conn, 1)
        with pytest.raises(ValueError), within.transaction(conn):
            insert(conn, 2)
            with within.transaction(conn):
                insert(conn, 3)
            raise ValueError
        with within.transaction(conn):
            insert(conn, 4)
            with pytest.raises(ValueError), within.transaction(conn):
                insert(conn, 5)
                raise ValueError
        assert rows(path) == []
    assert rows(path) == [1, 4]


def test_an_outer_block_takes_back_what_inner_ones_committed(conn, path):
    with pytest.raises(ValueError), within.transaction(conn):
        with within.transaction(conn):
            insert(conn, 1)
        raise ValueError
    assert rows(path) == []


def test_a_transaction_of_ones_own_is_an_outer_one(connect, path):
    for conn in connect(), connect(isolation_level=None):
        if conn.isolation_level is None:
            conn.execute("BEGIN")
        insert(conn, 1)
        with pytest.raises(ValueError), within.transaction(conn):
            insert(conn, 2)
            raise ValueError
        with within.transaction(conn):
            insert(conn, 3)
        assert rows(path) == []
        conn.rollback()
    assert rows(path) == []


@pytest.mark.skipif(not NEWER, reason="there is no autocommit")
def test_what_was_written_before_is_committed_first_where_python_begins_by_itself(connect, path):
    conn = connect(autocommit=False)
    insert(conn, 1)
    with pytest.raises(ValueError), within.transaction(conn):
        assert rows(path) == [1]
        insert(conn, 2)
        raise ValueError
    insert(conn, 3)
    conn.rollback()
    assert rows(path) == [1]


def test_ends_in_the_wrong_order_are_noticed(connect, path):
    conn = connect()
    outer, inner = within.transaction(conn), within.transaction(conn)
    with pytest.raises(sqlite3.OperationalError, match="runs.db: no such savepoint: within_2"):
        with within.transaction(conn):
            outer.__enter__()
            inner.__enter__()
            insert(conn, 1)
            outer.__exit__(None, None, None)
            inner.__exit__(None, None, None)
    assert rows(path) == [] and not conn.in_transaction


# ---- transactions that end before their blocks, or cannot end ----

ENDED_BEFORE = r"^commit: .*runs\.db: the transaction ended before its block: "


def lose(conn):
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute("INSERT OR ROLLBACK INTO t VALUES (1, 'again')")


def test_work_that_sqlite_has_rolled_back_is_an_error_at_the_end(conn, path):
    with pytest.raises(sqlite3.OperationalError, match=ENDED_BEFORE), within.transaction(conn):
        insert(conn, 1)
        lose(conn)
    with pytest.raises(ValueError), within.transaction(conn), within.transaction(conn):
        insert(conn, 1)
        lose(conn)
        raise ValueError
    with pytest.raises(sqlite3.OperationalError, match="the one around it has ended already"):
        with within.transaction(conn):
            insert(conn, 1)
            lose(conn)
            with within.transaction(conn):
                insert(conn, 2)
    assert rows(path) == []


def test_a_body_that_ends_the_transaction_or_the_connection_is_told(connect, path):
    conn = connect()
    with pytest.raises(sqlite3.OperationalError, match=ENDED_BEFORE), within.transaction(conn):
        insert(conn, 1)
        conn.commit()
    with pytest.raises(sqlite3.OperationalError, match="^commit: an unnamed database: the transaction ended"):
        with within.transaction(conn):
            insert(conn, 2)
            conn.close()
    conn = connect()
    with pytest.raises(ValueError), within.transaction(conn):
        conn.close()
        raise ValueError
    assert rows(path) == [1]


def test_a_commit_that_fails_takes_all_back(conn, path):
    conn.execute("CREATE TABLE child (a REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
    conn.commit()
    if conn.in_transaction:
        conn.execute("COMMIT")  # foreign keys cannot be turned on in a transaction
    conn.execute("PRAGMA foreign_keys = ON")
    if getattr(conn, "autocommit", None) is False:
        conn.execute("BEGIN")
    message = r"commit \(it is rolled back now\): .*runs\.db: FOREIGN KEY constraint failed"
    with pytest.raises(sqlite3.IntegrityError, match=message), within.transaction(conn):
        insert(conn, 1)
        conn.execute("INSERT INTO child VALUES (77)")
    assert rows(path) == []


# ---- others' locks ----


def test_a_busy_database_is_waited_for_up_to_the_limit(connect, conn, path):
    other = connect(isolation_level=None, check_same_thread=False)
    usual = conn.execute("PRAGMA busy_timeout").fetchone()
    other.execute("BEGIN IMMEDIATE")
    message = r"^begin a transaction, after waiting \d+\.\S* s: .*runs\.db: database is locked$"
    with pytest.raises(sqlite3.OperationalError, match=message) as raised, within.transaction(conn, timeout=0.02):
        pass
    if sys.version_info >= (3, 11):
        assert raised.value.sqlite_errorname == "SQLITE_BUSY"
    with pytest.raises(sqlite3.OperationalError, match="after waiting"), within.transaction(conn, timeout=0):
        pass
    release = threading.Timer(0.05, other.execute, ["ROLLBACK"])
    release.start()
    with within.transaction(conn, timeout=60):
        insert(conn, 1)
    release.join()
    assert rows(path) == [1]
    assert conn.execute("PRAGMA busy_timeout").fetchone() == usual


def test_without_a_limit_the_connections_own_counts(connect):
    conn, other = connect(timeout=0.03), connect(isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match=r"after waiting 0\.0[3-9]|after waiting 0\.[1-9]"):
        with within.transaction(conn):
            pass


def test_a_commit_that_readers_hold_up_takes_all_back(connect, path):
    conn, other = connect(), connect(isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM t").fetchall()
    with pytest.raises(sqlite3.OperationalError, match=r"^commit, after waiting \S+ s \(it is rolled back now\): .*locked"):
        with within.transaction(conn, timeout=0.01):
            insert(conn, 1)
    other.execute("COMMIT")
    assert not conn.in_transaction and rows(path) == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="extended codes are not told")
def test_rows_that_are_out_of_date_are_not_waited_for(connect):
    conn, other = connect(timeout=1000), connect(isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    with within.transaction(conn):
        insert(conn, 1, 2)
    cursor = conn.execute("SELECT a FROM t")
    cursor.fetchone()
    insert(other, 3)
    with pytest.raises(sqlite3.OperationalError, match="reads an older state"), within.transaction(conn):
        pass
    cursor.close()


def test_a_wait_hears_an_interrupt(connect, path):
    conn, other = connect(), connect(isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    interrupt = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
    interrupt.start()
    transaction = within.transaction(conn, timeout=1000)
    with pytest.raises(KeyboardInterrupt), transaction:
        pass
    interrupt.join()
    other.execute("ROLLBACK")
    with transaction:
        insert(conn, 1)
    assert rows(path) == [1]


@pytest.fixture
def befall(monkeypatch):
    """A function befall(sql, error, when) that has an error come before or after this SQL of the package."""
    import within._sqlite

    execute = within._sqlite._execute

    def befall(begin, error, when):
        def disturbed(conn, sql):
            cursor = execute(conn, sql) if when == "after" or not sql.startswith(begin) else None
            if sql.startswith(begin):
                raise error
            return cursor

        monkeypatch.setattr("within._sqlite._execute", disturbed)

    return befall


@pytest.mark.parametrize("sql", ["BEGIN IMMEDIATE", "SAVEPOINT"])
def test_an_interrupt_right_after_the_begin_leaves_nothing_open(conn, path, befall, monkeypatch, sql):
    befall(sql, KeyboardInterrupt, "after")
    with pytest.raises(KeyboardInterrupt), within.transaction(conn), within.transaction(conn):
        raise AssertionError("it has not begun")
    monkeypatch.undo()


def test_a_savepoint_that_cannot_be_set_is_an_error_of_the_inner_block(connect, path, befall):
    conn = connect()
    befall("SAVEPOINT", sqlite3.OperationalError("statements in progress"), "before")
    with within.transaction(conn):
        insert(conn, 1)
        with pytest.raises(sqlite3.OperationalError, match="^begin a transaction: .*: statements in progress"):
            with within.transaction(conn):
                pass
        insert(conn, 2)
    assert rows(path) == [1, 2]


# ---- arguments ----


def test_wrong_arguments_are_named(connect):
    with pytest.raises(TypeError, match="an sqlite3.Connection is wanted, not str"):
        within.transaction("runs.db")
    for timeout in -1, float("nan"):
        with pytest.raises(ValueError, match="is no time to wait"):
            within.transaction(connect(), timeout=timeout)
    with pytest.raises(TypeError):
        within.transaction(connect(), 5)


def test_factories_of_the_connection_are_not_in_the_way(connect, path):
    class Connection(sqlite3.Connection):
        def cursor(self, *args):
            raise AssertionError("not of anybody's business")

    conn = connect(factory=Connection)
    conn.row_factory, conn.text_factory = lambda cursor, row: None, bytes
    other = connect(isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="runs.db: database is locked"):
        with within.transaction(conn, timeout=0):
            pass
    other.execute("ROLLBACK")
    with within.transaction(conn), within.transaction(conn):
        sqlite3.Cursor(conn).execute("INSERT INTO t VALUES (1, 'x')")
    assert rows(path) == [1]


# ---- the ledger, the package, other processes ----


def test_an_open_transaction_is_in_the_ledger(record, path):
    read = record(
        """
import os, sqlite3, sys
import within
conn = sqlite3.connect(sys.argv[1])
with within.transaction(conn):
    pass
with within.transaction(conn):
    os.kill(os.getpid(), 9)
""",
        path,
        fails=True,
    )
    assert [(scope["kind"], scope["what"]) for scope in read["open"]] == [("transaction", str(path))]


def test_importing_the_package_imports_no_sqlite3(python):
    python("import sys, within; assert 'sqlite3' not in sys.modules and 'within._sqlite' not in sys.modules")


FORK = """
import os, sqlite3, sys
import within

conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("PRAGMA cache_size = 1")  # so that the transaction has a journal on the disk

def insert(numbers):
    conn.executemany("INSERT INTO t VALUES (?, ?)", [(n, "row %d" % n) for n in numbers])

def child(way):
    if way == "exit":
        sys.exit(0)
    if way == "raise":
        raise ZeroDivisionError
    try:
        with within.transaction(conn):
            os._exit(1)
    except RuntimeError as error:
        assert "before this process was forked" in str(error)

with within.transaction(conn), within.transaction(conn):
    insert(range(3000))
    for way in "exit", "raise", "end":
        pid = os.fork()
        if pid == 0:
            child(way)
            break
        status = os.waitpid(pid, 0)[1]
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == (way == "raise")
    else:
        insert(range(3000, 6000))
if pid:
    conn.close()
"""


def test_a_forked_child_ends_nothing_whichever_way_it_goes(python, path):
    done = python(FORK, path)
    assert "ZeroDivisionError" in done.stderr and "Warning" not in done.stderr
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT count(*), sum(a) FROM t").fetchone() == (6000, 17997000)
    assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    conn.close()


def test_no_reference_is_lost(connect, lost_references):
    conn = connect(isolation_level=None)

    def use():
        with within.transaction(conn), within.transaction(conn, timeout=1):
            pass
        try:
            with within.transaction(conn):
                raise ValueError
        except ValueError:
            pass

    assert lost_references(use, 2000) < 0.5  # a connection keeps up to 200 of its cursors' weak references
