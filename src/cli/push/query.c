/* Statements whose errors are raised. */
#include "cli/push/query.h"

sqlite3_stmt *wi__push_prepare(wi_database *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    wi_sqlite_check(db->handle, sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL), "push");
    return statement;
}

void wi__push_finalize(sqlite3_stmt *statement) { sqlite3_finalize(statement); }

void wi__push_bind_int(sqlite3_stmt *statement, int parameter, int64_t value) {
    sqlite3_bind_int64(statement, parameter, value);
}

void wi__push_bind_text(sqlite3_stmt *statement, int parameter, const char *value) {
    sqlite3_bind_text(statement, parameter, value, -1, SQLITE_STATIC);
}

int wi__push_next(wi_database *db, sqlite3_stmt *statement) {
    return wi_sqlite_check(db->handle, sqlite3_step(statement), "push") == SQLITE_ROW;
}

void wi__push_finish(wi_database *db, sqlite3_stmt *statement) {
    while (wi__push_next(db, statement)) continue;
    sqlite3_reset(statement);
}

const char *wi__push_text(sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}
