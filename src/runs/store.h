/*
 * A database of runs, opened: its application id and version are checked, and its tables made or brought up to date.
 * What is of something else, or of a newer version, is not touched: no byte of it changes, and no file comes beside it.
 *
 * It is a wi_database whose synchronous is NORMAL: in WAL mode a kill loses nothing, and a power cut the newest
 * commits alone. On a network file system it has a rollback journal.
 */
#ifndef WITHIN_RUNS_STORE_H
#define WITHIN_RUNS_STORE_H

#include <within/sqlite.h>

typedef enum wi__store_mode {
    WI__STORE_MAKE,  /* made if there is none */
    WI__STORE_WRITE, /* it must be there, with its tables */
    WI__STORE_READ   /* it must be there, and is not written; an older version is read as it is */
} wi__store_mode;

/**
 * Open a database of runs.
 *
 * @param[out] store  must stay where it is until it is closed; wi_transaction(store) is a transaction on it.
 * @param path        borrowed until it is closed.
 * @param busy_timeout_ms  how long to wait for others' locks; 0: 5000, negative: not at all.
 * @return store->handle.
 * @raise WI_DATA_ERROR if it is no database, or one of something else, or of a newer version of this library; what
 *        wi_database raises, WI_DATABASE_BUSY among it. Nothing stays open then.
 */
WI_API sqlite3 *wi__store_open(wi_database *store, const char *path, wi__store_mode mode,
                               int busy_timeout_ms);
/** May this process write a file and, as SQLite does, beside it? */
WI_API int wi__store_may_be_written(const char *path);
/** Close it; never raises. */
WI_API void wi__store_close(wi_database *store);

#endif
