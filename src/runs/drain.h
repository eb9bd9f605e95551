/*
 * Bringing a run's journal into the database: what is new in it, and how far it was read, in one transaction.
 *
 * Only the one who holds the lock of the run's live folder drains it. Should two do so all the same, one of them finds
 * that how far it was read has changed, and takes its transaction back.
 */
#ifndef WITHIN_RUNS_DRAIN_H
#define WITHIN_RUNS_DRAIN_H

#include <stdint.h>

#include <sqlite3.h>

#include "runs/journal.h"

/* What is kept from one time to the next: statements, and the rows of the series. For one thread. */
typedef struct wi__drainer wi__drainer;

/** @return NULL: there is no memory. */
wi__drainer *wi__drainer_new(sqlite3 *db, int64_t run);
/** Before the database is closed. */
void wi__drainer_free(wi__drainer *drainer);

/**
 * Bring in all that is there now, in transactions of at most a million points.
 *
 * @param points   NULL: there are none.
 * @param notes    of wi__notes_open; -1: there are none.
 * @param is_dead  nonzero: whoever wrote them is dead, so that a point that is being written never will be.
 * @return SQLITE_OK; SQLITE_BUSY if others hold the database for longer than the connection's timeout: the journal
 *         is as it was, try again; SQLITE_ABORT_ROLLBACK if another has drained at the same time; SQLITE_NOTFOUND if
 *         the run is not in the database; SQLITE_IOERR_READ if the notes cannot be read; else what SQLite says.
 */
int wi__drainer_run(wi__drainer *drainer, wi__points *points, int notes, int is_dead);

/** The same in one transaction. @param[out] has_more  there was more than it takes. */
int wi__drainer_step(wi__drainer *drainer, wi__points *points, int notes, int is_dead,
                     int *has_more);

/** The same once, with all that it takes. */
int wi__drain(sqlite3 *db, int64_t run, wi__points *points, int notes, int is_dead);

#endif
