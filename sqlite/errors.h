/*
 * SQLite's answers as errors: what was attempted, on which file, why it failed, and the code's name.
 */
#ifndef WITHIN_SQLITE_ERRORS_H
#define WITHIN_SQLITE_ERRORS_H

#include <within/sqlite.h>

/* Why a call failed, kept while the connection is used to clean up. */
typedef struct wi__sqlite_failure {
    const wi_error_type *kind;
    int errnum;    /* the system's, or 0 */
    char why[400]; /* SQLite's words and the code's name */
} wi__sqlite_failure;

/** Why the last call on a connection failed. `code` is what it returned; the handle may be NULL. */
wi__sqlite_failure wi__sqlite_failure_of(sqlite3 *handle, int code);
/** Raise it: "attempted: file: why". */
_Noreturn void wi__raise_sqlite_failure(const wi_place *place, const wi__sqlite_failure *failure,
                                        const char *file, const char *attempted);

/** The file of a connection, absolute; ":memory:" if there is none. */
const char *wi__sqlite_file_of(sqlite3 *handle);
/** "SQLITE_CONSTRAINT_UNIQUE"; of an extended code that is newer than this library, its plain code's name. */
const char *wi__sqlite_code_name(int code);

#endif
