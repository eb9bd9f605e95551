/* One statement at a time, with its parameters. */
#include "runs/sql.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

static int bind_number(sqlite3_stmt *statement, int i, double value) {
    return isnan(value) ? sqlite3_bind_null(statement, i)
                        : sqlite3_bind_double(statement, i, value);
}

static int bind_all(sqlite3_stmt *statement, const char *types, va_list *values) {
    int code = SQLITE_OK;
    for (int i = 1; *types && code == SQLITE_OK; types++, i++) switch (*types) {
        case 'i': code = sqlite3_bind_int64(statement, i, va_arg(*values, int64_t)); break;
        case 'd': code = bind_number(statement, i, va_arg(*values, double)); break;
        default:
            code =
                sqlite3_bind_text(statement, i, va_arg(*values, const char *), -1, SQLITE_STATIC);
        }
    return code;
}

static int prepare(sqlite3 *db, sqlite3_stmt **statement, const char *sql, const char *types,
                   va_list *values) {
    int code = sqlite3_prepare_v2(db, sql, -1, statement, NULL);
    if (code == SQLITE_OK) code = bind_all(*statement, types, values);
    return code == SQLITE_OK ? code : sqlite3_extended_errcode(db);
}

int wi__sql_prepare(sqlite3 *db, sqlite3_stmt **statement, const char *sql, const char *types,
                    ...) {
    va_list values;
    *statement = NULL;
    va_start(values, types);
    int code = prepare(db, statement, sql, types, &values);
    va_end(values);
    return code;
}

int wi__sql_step(sqlite3_stmt *statement, int code) {
    if (code != SQLITE_OK) return code;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW || code == SQLITE_DONE) return code;
    return sqlite3_extended_errcode(sqlite3_db_handle(statement));
}

int wi__sql_run(sqlite3 *db, const char *sql, const char *types, ...) {
    va_list values;
    sqlite3_stmt *statement = NULL;
    va_start(values, types);
    int code = prepare(db, &statement, sql, types, &values);
    va_end(values);
    code = wi__sql_step(statement, code);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int wi__sql_finish(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int wi__sql_end(sqlite3 *db, int code) {
    if (code == SQLITE_OK) code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}
