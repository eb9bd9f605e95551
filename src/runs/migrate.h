/*
 * A database of runs, brought to a version: its tables are made, or changed step by step, in one transaction.
 */
#ifndef WITHIN_RUNS_MIGRATE_H
#define WITHIN_RUNS_MIGRATE_H

#include <within/sqlite.h>

/** Versions from 1 to `newest`, and what leads to each. */
typedef struct wi__versions {
    int newest;
    /** SQL that makes version i + 1 of version i, at i, and sets user_version; of an empty database the first. */
    const char *const *steps;
} wi__versions;

/** This library's. */
extern const wi__versions wi__runs_versions;

/**
 * Bring a database to the newest version. Its views are made anew behind the last step.
 *
 * Of several processes the first takes the steps, and others wait. After an error or a kill the old version is there. A
 * database that is read only is left as it is, of whichever version.
 *
 * @param may_be_empty  its tables are made then.
 * @raise WI_DATA_ERROR if it is one of something else, or of a newer version, or empty where it may not be; what
 *        wi_transaction and wi_database_execute raise.
 */
void wi__migrate(wi_database *store, const wi__versions *to, int may_be_empty);

#endif
