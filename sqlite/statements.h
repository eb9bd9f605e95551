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

/**
 * Run SQL, and wait for others' locks.
 *
 * @param timeout_ms  for how long; 0: as the connection does by itself, negative: not at all.
 */
int wi__sqlite_run_waiting(sqlite3 *handle, const char *sql, int timeout_ms);
/**
 * The same for SQL that is turned away at once in cases where waiting helps, though SQLite does not wait then.
 *
 * @param[out] waited_s  how long it was, if others' locks turned it away.
 */
int wi__sqlite_run_patiently(sqlite3 *handle, const char *sql, int timeout_ms, double *waited_s);

#endif
