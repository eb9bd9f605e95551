/* Versions of a database of runs, and the steps between them. */
#include "runs/migrate.h"

#include <sqlite3.h>

#include "runs/schema.h"
#include "runs/sql.h"

/* In one statement: another process may make the tables between two. */
static const char stamp_sql[] =
    "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)"
    " FROM pragma_application_id AS a, pragma_user_version AS v";

wi__stamp wi__read_stamp(sqlite3 *db) {
    sqlite3_stmt *row;
    wi__stamp found = {0, 0, 0};
    int code = wi__sql_prepare(db, &row, stamp_sql, "");
    code = wi__sql_step(row, code);
    if (code == SQLITE_ROW)
        found = (wi__stamp){sqlite3_column_int(row, 0), sqlite3_column_int(row, 1),
                            sqlite3_column_int(row, 2)};
    sqlite3_finalize(row);
    wi_sqlite_check(db, code, "read");
    return found;
}

int wi__check_stamp(const char *path, wi__stamp found, int newest) {
    int is_empty = !found.application && !found.version && !found.tables;
    if (found.application != WI__RUNS_APPLICATION && !is_empty)
        wi_raise(WI_DATA_ERROR, "%s: it is a database, but not one of runs: it is left as it is",
                 path);
    if (found.version > newest)
        wi_raise(WI_DATA_ERROR,
                 "%s: its version is %d, and this library knows versions up to %d: a newer one "
                 "made it",
                 path, found.version, newest);
    return found.version;
}

static int version_of(const wi_database *store, int newest) {
    return wi__check_stamp(store->path, wi__read_stamp(store->handle), newest);
}

/* Whoever comes first takes the steps; others wait here, and find them taken. */
static void take_steps(wi_database *store, const wi__versions *to) {
    within (wi_transaction(store)) {
        int version = version_of(store, to->newest);
        if (version < to->newest) {
            wi_database_execute(store, wi__runs_no_views);
            for (; version < to->newest; version++) wi_database_execute(store, to->steps[version]);
            wi_database_execute(store, wi__runs_views);
        }
    }
}

void wi__migrate(wi_database *store, const wi__versions *to) {
    int version = version_of(store, to->newest);
    if (store->options.read_only && !version)
        wi_raise(WI_DATA_ERROR, "%s: there are no tables of runs in it", store->path);
    if (!store->options.read_only && version < to->newest) take_steps(store, to);
}
