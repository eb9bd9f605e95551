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
 * @param db      a connection of its own, which nobody else uses until it is stopped.
 * @param points, notes  of the run; they must stay open until it is stopped.
 * @return NULL: errno says why.
 */
wi__writer *wi__writer_start(sqlite3 *db, int64_t run, wi__points *points, int notes);

/** Drain now, and do not wait for it. */
void wi__writer_wake(wi__writer *writer);

/**
 * Drain what is left, stop and free it. Trouble on the way is said once on stderr, and tried again.
 *
 * @param timeout_s  how long to try while others hold the database; 0: once.
 * @return SQLITE_OK: all is in the database; else why the rest is not, as of wi__drainer_run.
 */
int wi__writer_stop(wi__writer *writer, double timeout_s);

#endif
