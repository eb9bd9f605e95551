/* The points of a metric, some thousand at a time. */
#ifndef WITHIN_CLI_RUNS_POINTS_H
#define WITHIN_CLI_RUNS_POINTS_H

#include <stdint.h>

#include <sqlite3.h>

/** @param steps, ms, values  arrays of shape (count,): steps, milliseconds since 1970, values. */
typedef void wi__take_points(void *arg, int64_t count, const int64_t *steps, const int64_t *ms,
                             const double *values);

/**
 * Hand out a metric's points in the order in which they were logged.
 *
 * @return 0 if the run has no metric of that name.
 * @raise WI_DATA_ERROR if what is in the database is no series, WI_MEMORY_ERROR, and what SQLite says.
 */
int wi__each_points(sqlite3 *db, int64_t run, const char *metric, wi__take_points *take, void *arg);

#endif
