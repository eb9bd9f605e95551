/* Databases that nobody changes. */
#ifndef WITHIN_SQLITE_IMMUTABLE_H
#define WITHIN_SQLITE_IMMUTABLE_H

#include <sqlite3.h>

/** Open a file without locks, and without looking at what lies beside it. @return SQLite's code, as sqlite3_open_v2. */
int wi__sqlite_open_immutable(const char *path, sqlite3 **handle);

#endif
