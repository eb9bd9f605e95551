/* The thread of a run that drains its journal, every 0.2 s and whenever much has come. */
#ifndef WITHIN_RUNS_WRITER_H
#define WITHIN_RUNS_WRITER_H

#include <stdint.h>

#include <sqlite3.h>

#include "runs/journal.h"

typedef struct wi__writer wi__writer;

/**
 * Start the thread, with all signals blocked.
 *
 * @param db      a connection of its own, which nobody else uses until the thread is stopped. A fork closes it, and
 *                sets it to NULL until the next drain opens another.
 * @param points, notes  of the run; they must stay open until the thread is stopped.
 * @return NULL: errno says why.
 */
wi__writer *wi__writer_start(sqlite3 **db, int64_t run, wi__points *points, int notes);

/**
 * Before a fork: a drain that is going on ends, none begins, and the connection is closed. So the child inherits nothing
 * of SQLite's that stands for a lock which it does not have, and may open the file itself.
 */
void wi__writer_before_fork(wi__writer *writer);
/** After it, in the parent. */
void wi__writer_after_fork(wi__writer *writer);

/**
 * Drain what is left, and stop. Trouble on the way is said once on stderr, and tried again.
 *
 * @param timeout_s  how long to try while others hold the database; 0: once.
 * @return SQLITE_OK: all is in the database; else why the rest is not, as of wi__drainer_run.
 */
int wi__writer_stop(wi__writer *writer, double timeout_s);
/** Free it when it is stopped. @return SQLITE_OK, and the connection is there; else why it could not be opened again. */
int wi__writer_free(wi__writer *writer);

#endif
