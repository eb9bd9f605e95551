/* Runs whose process is dead: what they had logged is brought into the database, and they are KILLED. */
#ifndef WITHIN_RUNS_RECOVER_H
#define WITHIN_RUNS_RECOVER_H

#include "runs/store.h"

/**
 * Put right what dead processes have left of a database's runs. Runs that live, or may live elsewhere, are left alone.
 * Where that fails it is said on stderr, and tried again by whoever looks next.
 *
 * @param db    a wi__store_open that may write; no transaction is open.
 * @param path  the database's path as it was opened with.
 * @return how many runs were found dead and put right.
 *
 * Threads: any. Never raises. Cost: a look at the folder DATABASE.live if all runs live.
 */
WI_API int wi__runs_recover(sqlite3 *db, const char *path);
/**
 * Close a run that is RUNNING elsewhere, on the word of the user that its host or container is gone: it is KILLED, with
 * all that it had logged.
 *
 * @return 1; 0 if what it had logged could not be brought in, which was said on stderr.
 * @raise WI_VALUE_ERROR if it lives, as far as that can be told: it is of this host, or its lock is held.
 */
WI_API int wi__runs_close(sqlite3 *db, const char *path, const char *id);
/**
 * Open a database of runs that is there, and put right what is to be; one that may not be written is read as it is.
 * Parameters, value and errors are those of wi__store_open.
 */
WI_API sqlite3 *wi__runs_open(wi_database *store, const char *path);

#endif
