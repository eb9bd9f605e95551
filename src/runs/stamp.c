/* What a database says that it is. */
#include "runs/stamp.h"

#include <within/sqlite.h>

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

wi__stamp wi__stamp_read(sqlite3 *db) {
    wi__stamp stamp = {ask(db, "PRAGMA application_id"), ask(db, "PRAGMA user_version"), 0};
    if (!stamp.application) stamp.tables = ask(db, "SELECT count(*) FROM sqlite_schema");
    return stamp;
}

int wi__stamp_version(const wi__stamp *stamp, const char *path, int newest, int may_be_empty) {
    int is_empty = !stamp->application && !stamp->version && !stamp->tables;
    if (is_empty && !may_be_empty)
        wi_raise(WI_DATA_ERROR, "%s: there are no tables of runs in it", path);
    if (stamp->application != WI__RUNS_APPLICATION && !is_empty)
        wi_raise(WI_DATA_ERROR, "%s: it is a database, but not one of runs: it is left as it is",
                 path);
    if (stamp->version > newest)
        wi_raise(WI_DATA_ERROR,
                 "%s: its version is %d, and this library knows versions up to %d: a newer one "
                 "made it",
                 path, stamp->version, newest);
    return stamp->version;
}
