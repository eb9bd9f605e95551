/* Merging a run's small chunks into full ones, when it is over. */
#ifndef WITHIN_RUNS_COMPACT_H
#define WITHIN_RUNS_COMPACT_H

#include <stdint.h>

#include <sqlite3.h>

/**
 * Merge the chunks of each series of a run, a transaction for some hundred of the small ones: whoever is killed in between has
 * lost nothing, and it can be gone on with. What is merged already is not touched again.
 *
 * @return SQLITE_OK; SQLITE_BUSY if others hold the database for longer than the connection's timeout;
 *         SQLITE_CORRUPT if a row is no chunk; else what SQLite says. A run that was not compacted reads the same.
 */
int wi__compact(sqlite3 *db, int64_t run);

#endif
