/*
 * The statements that this library itself runs. A cancelled thread does not leave one half-way, with SQLite's locks
 * taken: it ends at its next chance after it.
 */
#ifndef WITHIN_SQLITE_STATEMENTS_H
#define WITHIN_SQLITE_STATEMENTS_H

#include <within/sqlite.h>

/** Run SQL. @return SQLite's extended code, as all of these do. */
int wi__sqlite_run(sqlite3 *handle, const char *sql);
/** Run a PRAGMA that gives one value; "" if it gives none. */
int wi__sqlite_ask(sqlite3 *handle, const char *pragma, char *value, size_t size);

/* How long to wait for a lock, and how long it was. */
typedef struct wi__sqlite_wait {
    int timeout_ms; /* 0: as the connection does by itself, negative: not at all */
    double waited_s;
} wi__sqlite_wait;

/** Run SQL, and wait for others' locks for as long as `wait` says. */
int wi__sqlite_run_waiting(sqlite3 *handle, const char *sql, wi__sqlite_wait *wait);
/** The same for SQL that is turned away at once in cases where waiting helps, though SQLite does not wait then. */
int wi__sqlite_run_patiently(sqlite3 *handle, const char *sql, wi__sqlite_wait *wait);

#endif
