"""transaction: a block that is stored in an SQLite database as a whole, or not at all."""


def transaction(conn, *, timeout=None):
    """Commit what the block wrote at its end, or take all of it back.

    Enter says ``BEGIN IMMEDIATE``: until the block ends, this connection alone may write to the database. The end of
    the block, a ``return`` too, says ``COMMIT``; an exception, ``KeyboardInterrupt`` too, ``ROLLBACK``. Inside
    of another transaction it is a savepoint: taken back alone, and committed with the outermost.

    It works with every ``isolation_level``, and with both values of ``autocommit``. With ``autocommit=False``, where
    Python keeps a transaction open at all times, what was written before the block is committed first, as setting
    ``autocommit`` to True does.

    Parameters
    ----------
    conn : sqlite3.Connection
        Used by one thread at a time. ``as`` names it.
    timeout : float, optional
        How long to wait for other connections, in seconds; by default as `conn` does (``sqlite3.connect(timeout=5)``).

    Raises
    ------
    sqlite3.OperationalError
        When the block begins, if others hold the database for longer than the timeout. At its end, if the
        transaction had ended before it: SQLite rolls back by itself when the disk is full, for one.
    sqlite3.Error
        What COMMIT failed with; all is rolled back then.
    RuntimeError
        If this object is in a block already, or `conn` is in one that was begun before this process was forked.

    Notes
    -----
    Messages name the file. In a forked child the ends of blocks that it inherited do nothing.

    Examples
    --------
    >>> import sqlite3
    >>> import within as wi
    >>> conn = sqlite3.connect(":memory:")
    >>> with wi.transaction(conn):
    ...     cursor = conn.execute("CREATE TABLE run (name TEXT UNIQUE, energy REAL)")
    ...     cursor = conn.execute("INSERT INTO run VALUES ('lorenz', 1.5)")
    >>> with wi.transaction(conn):
    ...     cursor = conn.execute("INSERT INTO run VALUES ('roessler', 2.5)")
    ...     cursor = conn.execute("INSERT INTO run VALUES ('lorenz', 3.5)")
    Traceback (most recent call last):
    sqlite3.IntegrityError: UNIQUE constraint failed: run.name
    >>> conn.execute("SELECT name, energy FROM run").fetchall()
    [('lorenz', 1.5)]
    >>> conn.close()
    """
    from ._sqlite import Transaction

    return Transaction(conn, timeout)


transaction.__module__ = "within"
