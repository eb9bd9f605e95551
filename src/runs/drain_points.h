/* Points of a journal, put in order by their series and written as chunks. */
#ifndef WITHIN_RUNS_DRAIN_POINTS_H
#define WITHIN_RUNS_DRAIN_POINTS_H

#include <sqlite3.h>

#include "runs/journal.h"

/* So many at most are in one transaction, and so many have room at first. */
enum { WI__BATCH_POINTS = 1 << 20, WI__BATCH_LEAST = 1 << 15 };

typedef struct wi__batch wi__batch;

/** @return NULL: there is no memory. */
wi__batch *wi__batch_new(sqlite3 *db, int64_t run);
void wi__batch_free(wi__batch *batch);

/** Where to read points to: an array of shape (room,), with what was read before. NULL: there is no memory. */
wi__point *wi__batch_points(wi__batch *batch, int64_t room);
/** Put the first `count` of them in order by series. @return SQLITE_OK or SQLITE_NOMEM. */
int wi__batch_sort(wi__batch *batch, int64_t count);
/**
 * Write them, in the transaction that is open, behind those that the series have. A series that has no name, for its
 * note was damaged, is named by its number. @return SQLITE_OK or SQLite's extended code.
 */
int wi__batch_write(wi__batch *batch);
/** The transaction was not committed: rows of series that were found in it may not be there. */
void wi__batch_forget(wi__batch *batch);

#endif
