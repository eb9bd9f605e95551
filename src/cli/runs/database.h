/* What the commands on a database of runs share: which one it is, opening it, the run that a word means, and errors. */
#ifndef WITHIN_CLI_RUNS_DATABASE_H
#define WITHIN_CLI_RUNS_DATABASE_H

#include <stddef.h>

#include <within/sqlite.h>

#include "cli/command.h"
#include "report/page.h"
#include "report/units.h"
#include "runs/read.h"

#define WI__DATABASE_HELP                                                                          \
    "The database of runs; by default $WITHIN_DATABASE, or runs.db in the working folder"

/** --database, else the environment's WITHIN_DATABASE, else runs.db. */
const char *wi__database_path(const char *wish);

/** The run that a word means. @raise WI_VALUE_ERROR if it means none, or several: with candidates. */
int64_t wi__run_meant(sqlite3 *db, const char *word);

/** What a command does with a database: store->handle is SQLite's. */
typedef void wi__database_work(wi_database *store, void *arg);

/**
 * Open a database of runs that is there, put runs of dead processes right, do the work, and close it. One that may not
 * be written is read as it is.
 *
 * @return 0, or WI__STATUS_FAILED after the error that was raised was said. What became of the output is in stdout's
 *         error flag and errno.
 */
int wi__with_database(const char *command, const char *path, wi__database_work *work, void *arg);

/** stdout, as wide as the terminal. */
wi__page wi__page_of_stdout(void);

/** "3f2a91c0": enough of an id to type. */
typedef struct wi__short_id {
    char text[12];
} wi__short_id;
wi__short_id wi__short_id_of(const char *uuid);

/** A status's colour. */
wi__ink wi__status_ink(const char *status);

/** Milliseconds since 1970 as nanoseconds, for units.h; what is before that as 0. */
uint64_t wi__ns_of_ms(int64_t ms);

/** A metric's value as people read it: six digits, and "nan". */
wi__number wi__value_text(double value);

/** What a command that changes a run has to know of it. */
typedef struct wi__run_identity {
    char id[WI_RUN_ID_LENGTH + 1];
    char label[200]; /* "lorenz (3f2a91c0)", as it may be printed */
    char status[16];
} wi__run_identity;

/** @return 0: there is no such row. */
int wi__run_identify(sqlite3 *db, int64_t row, wi__run_identity *identity);

#endif
