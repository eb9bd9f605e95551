/* What a database says that it is. */
#include "runs/stamp.h"

#include <within/sqlite.h>

#include "runs/schema.h"
#include "runs/sql.h"

/* In one statement: another process may make the tables between two. */
static const char sql[] =
    "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)"
    " FROM pragma_application_id AS a, pragma_user_version AS v";

wi__stamp wi__stamp_read(sqlite3 *db) {
    sqlite3_stmt *row;
    wi__stamp found = {0, 0, 0};
    int code = wi__sql_prepare(db, &row, sql, "");
    code = wi__sql_step(row, code);
    if (code == SQLITE_ROW)
        found = (wi__stamp){sqlite3_column_int(row, 0), sqlite3_column_int(row, 1),
                            sqlite3_column_int(row, 2)};
    sqlite3_finalize(row);
    wi_sqlite_check(db, code, "read");
    return found;
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
