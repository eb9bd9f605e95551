/* What a database says that it is: of this library or of something else, and of which version. */
#ifndef WITHIN_RUNS_STAMP_H
#define WITHIN_RUNS_STAMP_H

#include <sqlite3.h>

typedef struct wi__stamp {
    int application, version, tables;
} wi__stamp;

/** @raise as reading a database does; WI_DATA_ERROR if it is none. */
wi__stamp wi__stamp_read(sqlite3 *db);

/**
 * Its version; 0: it is empty.
 *
 * @param path  for messages.
 * @raise WI_DATA_ERROR if it is of something else, or of a version above `newest`, or empty where it may not be.
 */
int wi__stamp_version(const wi__stamp *stamp, const char *path, int newest, int may_be_empty);

#endif
