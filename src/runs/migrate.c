/* Versions of a database of runs, and the steps between them. */
#include "runs/migrate.h"

#include <sqlite3.h>

#include "runs/schema.h"
#include "runs/sql.h"

static int ask(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    int code = wi__sql_prepare(db, &statement, sql, "");
    code = wi__sql_step(statement, code);
    int value = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    wi_sqlite_check(db, code, "read");
    return value;
}

/* 0: it is empty. */
static int version_of(const wi_database *store, int newest) {
    int application = ask(store->handle, "PRAGMA application_id");
    int version = ask(store->handle, "PRAGMA user_version");
    if (application != WI__RUNS_APPLICATION &&
        (application || version || ask(store->handle, "SELECT count(*) FROM sqlite_schema")))
        wi_raise(WI_DATA_ERROR, "%s: it is a database, but not one of runs: it is left as it is",
                 store->path);
    if (version > newest)
        wi_raise(WI_DATA_ERROR,
                 "%s: its version is %d, and this library knows versions up to %d: a newer one "
                 "made it",
                 store->path, version, newest);
    return application ? version : 0;
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
