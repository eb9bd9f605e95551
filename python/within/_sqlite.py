"""Transactions on connections of sqlite3: begun, nested, committed and taken back."""

import os
import sqlite3
import time

from . import _within

_SLICE_S = 0.1  # of a wait: SQLite's own waiting does not hear Ctrl-C
_PAUSE_S = 0.002
_open = {}  # the open transactions of each connection, outermost first, by its id


class Transaction:
    """What `within.transaction` makes."""

    __slots__ = ("_begun", "_conn", "_hold", "_kept_open", "_pid", "_savepoint", "_timeout", "_waited")

    def __init__(self, conn, timeout):
        if not isinstance(conn, sqlite3.Connection):
            raise TypeError(f"transaction: an sqlite3.Connection is wanted, not {type(conn).__name__}")
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"transaction: a timeout of {timeout} s is no time to wait")
        self._conn = conn
        self._timeout = timeout
        self._hold = None

    def __enter__(self):
        conn, outer = self._conn, _open.get(id(self._conn), ())
        self._check_may_begin(outer)
        self._begun = False
        self._savepoint = 0  # the number in its name; 0: no savepoint but the transaction itself
        self._kept_open = not outer and getattr(conn, "autocommit", None) is False
        self._pid = os.getpid()
        try:
            self._hold = _within.Hold("transaction", _file_of(conn), conn)
            self._begin(conn, outer)
            _open.setdefault(id(conn), []).append(self)
        except BaseException:  # an interrupt too, when it has begun
            self._end()
            raise
        return conn

    def __exit__(self, kind, error, traceback):
        try:
            if kind is None and self._pid == os.getpid():
                self._commit(self._conn)
        finally:
            self._end()

    # ---- beginning ----

    def _check_may_begin(self, outer):
        if self._hold is not None:
            raise RuntimeError("transaction: it is open already: each block needs an object of its own")
        if outer and outer[-1]._pid != os.getpid():
            raise RuntimeError(
                "transaction: the connection is in one that was begun before this process was forked, "
                "and cannot be used on this side of the fork"
            )

    def _begin(self, conn, outer):
        if outer and not conn.in_transaction:
            raise _failure("begin a transaction", conn, "the one around it has ended already")
        if conn.in_transaction and not self._kept_open:
            self._savepoint = 1 + max((each._savepoint for each in outer), default=0)
        elif conn.in_transaction:
            _run(conn, "commit what was written before", "COMMIT")
        self._begun = True
        try:
            self._run_waiting(conn, f"SAVEPOINT within_{self._savepoint}" if self._savepoint else "BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # an interrupt leaves open whether it was begun
            self._begun = False
            _name(error, f"begin a transaction{self._waited}", conn)
            raise

    # ---- ending ----

    def _commit(self, conn):
        if _is_closed(conn) or not conn.in_transaction:
            raise _failure(
                "commit",
                conn,
                "the transaction ended before its block: SQLite rolled it back (a full disk, no memory, "
                "ON CONFLICT ROLLBACK), or the body ended it",
            )
        try:
            self._run_waiting(conn, f"RELEASE within_{self._savepoint}" if self._savepoint else "COMMIT")
        except sqlite3.Error as error:
            # It can come after what made the commit: a journal is gone, but its lock cannot be changed.
            unknown = str(error) == "disk I/O error" and not conn.in_transaction
            outcome = "whether it took place is not known" if unknown else "it is rolled back now"
            _name(error, f"commit{self._waited} ({outcome})", conn)
            raise
        self._begun = False

    def _end(self):
        others = [each for each in _open.get(id(self._conn), ()) if each is not self]
        if others:
            _open[id(self._conn)] = others
        else:
            _open.pop(id(self._conn), None)
        try:
            if self._pid == os.getpid() and not _is_closed(self._conn):
                self._leave_as_before(self._conn)
        finally:
            self._hold = None

    def _leave_as_before(self, conn):
        """Take back what was not committed."""
        if self._begun and conn.in_transaction:
            if self._savepoint:
                _run(conn, "roll back", f"ROLLBACK TO within_{self._savepoint}")
                _run(conn, "roll back", f"RELEASE within_{self._savepoint}")
            else:
                _run(conn, "roll back", "ROLLBACK")
        if self._kept_open and not conn.in_transaction:
            _run(conn, "begin the next transaction", "BEGIN")

    # ---- waiting ----

    def _run_waiting(self, conn, sql):
        """Run what other connections may hold up, and say in _waited for how long they did."""
        self._waited = ""
        if self._timeout is None:
            self._try_until(conn, sql, None)
            return
        usual_ms = _value(conn, "PRAGMA busy_timeout")
        _value(conn, f"PRAGMA busy_timeout = {int(1000 * min(self._timeout, _SLICE_S))}")
        try:
            self._try_until(conn, sql, self._timeout)
        finally:
            _value(conn, f"PRAGMA busy_timeout = {usual_ms}")

    def _try_until(self, conn, sql, limit_s):
        begin_s = time.monotonic()
        while True:
            try:
                return _execute(conn, sql).close()
            except sqlite3.OperationalError as error:
                if not _may_pass(error):
                    raise
                if limit_s is None:
                    limit_s = _value(conn, "PRAGMA busy_timeout") / 1000
                waited_s = time.monotonic() - begin_s
                if waited_s >= limit_s:
                    self._waited = f", after waiting {waited_s:.3g} s"
                    raise
            time.sleep(_PAUSE_S)


# ---- the connection ----


def _execute(conn, sql):
    """A cursor of the plain kind, whatever the connection makes of cursors and rows."""
    cursor = sqlite3.Connection.cursor(conn)
    cursor.row_factory = None
    return cursor.execute(sql)


def _run(conn, attempted, sql):
    try:
        _execute(conn, sql).close()
    except sqlite3.Error as error:
        _name(error, attempted, conn)
        raise


def _value(conn, pragma):
    """What a PRAGMA says, in its last column."""
    cursor = _execute(conn, pragma)
    row = cursor.fetchone()
    cursor.close()
    return row[-1]


def _file_of(conn):
    try:
        file = _value(conn, "PRAGMA database_list")
    except sqlite3.Error:
        return "an unnamed database"
    return os.fsdecode(file) or ":memory:"


def _is_closed(conn):
    try:
        conn.in_transaction
    except sqlite3.ProgrammingError:
        return True
    return False


# ---- errors ----


def _name(error, attempted, conn):
    """Say in an error's message what was attempted, and on which file."""
    if _is_out_of_date(error):
        attempted += ", while a cursor of this connection reads an older state (close it first)"
    error.args = (f"{attempted}: {_file_of(conn)}: {error}",)


def _failure(attempted, conn, why):
    error = sqlite3.OperationalError(why)
    _name(error, attempted, conn)
    return error


def _may_pass(error):
    return str(error) == "database is locked" and not _is_out_of_date(error)


def _is_out_of_date(error):
    """A snapshot, from Python 3.11 on, which tells the extended code."""
    return getattr(error, "sqlite_errorname", None) == "SQLITE_BUSY_SNAPSHOT"
