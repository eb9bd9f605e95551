/* The points of a series, read from the database into arrays. */
#ifndef WITHIN_RUNS_SERIES_DATA_H
#define WITHIN_RUNS_SERIES_DATA_H

#include <stdint.h>

#include <sqlite3.h>

#include <within/macros.h>

/**
 * A series by its name.
 *
 * @param run          the row of its run.
 * @param[out] series  its row; 0 if the run has none of that name.
 * @param[out] count   how many points it has.
 * @return SQLite's extended code, as all here.
 */
WI_API int wi__series_find(sqlite3 *db, int64_t run, const char *name, int64_t *series,
                           int64_t *count);

/**
 * Points of a series in the order in which they were logged.
 *
 * @param position  of the first one, from 0.
 * @param most      how many at most.
 * @param[out] steps, ms, values  arrays of shape (most,); each may be NULL. ms are milliseconds since 1970.
 * @param[out] read  how many there are: less than `most` only at the series' end.
 * @return SQLITE_CORRUPT if what is in the database is no chunk, or one is missing.
 *
 * Reads a state of the database that is whole if the caller has begun a transaction; else each call one of its own.
 * Cost: a look-up, and some 10 ns a point.
 */
WI_API int wi__series_read(sqlite3 *db, int64_t series, int64_t position, int64_t most,
                           int64_t *steps, int64_t *ms, double *values, int64_t *read);

#endif
