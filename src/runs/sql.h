/* One statement at a time, with its parameters. */
#ifndef WITHIN_RUNS_SQL_H
#define WITHIN_RUNS_SQL_H

#include <sqlite3.h>

/**
 * Prepare a statement and bind its parameters.
 *
 * @param types  a letter a parameter: 'i' int64_t, 'd' double (NaN: NULL), 't' const char * (NULL: NULL).
 * @param[out] statement  to be finalised by the caller; texts are borrowed until then.
 * @return SQLite's extended code.
 */
int wi__sql_prepare(sqlite3 *db, sqlite3_stmt **statement, const char *sql, const char *types, ...);
/**
 * The next row of a statement.
 * @param code  what preparing it returned: it is not run unless that is SQLITE_OK.
 * @return SQLITE_ROW, SQLITE_DONE, or SQLite's extended code.
 */
int wi__sql_step(sqlite3_stmt *statement, int code);
/** Run a statement that gives no rows. @return SQLITE_OK, or SQLite's extended code. */
int wi__sql_run(sqlite3 *db, const char *sql, const char *types, ...);
/** Run a prepared statement that gives no rows, and make it ready again. @return SQLITE_OK, or SQLite's code. */
int wi__sql_finish(sqlite3_stmt *statement);
/** Commit if the code is SQLITE_OK, else, or if that fails, roll back. @return why nothing is committed; SQLITE_OK. */
int wi__sql_end(sqlite3 *db, int code);

#endif
