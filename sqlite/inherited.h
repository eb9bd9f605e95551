/*
 * Databases that were open when this process was forked, and that it must not touch.
 *
 * SQLite keeps a table of the files that a process has locked. A forked child inherits the table, but not the locks:
 * a connection that it opens to such a file takes no lock where the table says that one is held. What it commits can
 * go into a log that the others have deleted. And the parent's connections, used or closed in the child, would roll
 * back what the parent is writing.
 */
#ifndef WITHIN_SQLITE_INHERITED_H
#define WITHIN_SQLITE_INHERITED_H

#include <within/sqlite.h>

/**
 * A database was opened: from now on a fork sets its handle to NULL in the child.
 * @raise WI_USAGE_ERROR if an ancestor had the file open when it forked; WI_MEMORY_ERROR.
 */
void wi__sqlite_opened(wi_database *database);
/** It is about to be closed, in the process that opened it. */
void wi__sqlite_closing(const wi_database *database);

#endif
