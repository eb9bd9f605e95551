/* What each kind of note says in SQL. */
#ifndef WITHIN_RUNS_DRAIN_NOTES_H
#define WITHIN_RUNS_DRAIN_NOTES_H

#include <sqlite3.h>

#include "runs/journal.h"

enum { WI__NOTE_KINDS = 16 };

/* A statement a kind, prepared when the first note of it comes. */
typedef struct wi__note_statements {
    sqlite3 *db;
    int64_t run;
    sqlite3_stmt *of[WI__NOTE_KINDS];
} wi__note_statements;

/**
 * Bring a note into the tables, in the transaction that is open. One that says what they cannot hold, and one of a
 * kind that a newer version of this library has written, is passed over.
 * @return SQLITE_OK or SQLite's extended code.
 */
int wi__note_apply(wi__note_statements *statements, const wi__note *note);
void wi__note_statements_finalize(wi__note_statements *statements);

#endif
