/* A statement for a block, and its columns. */
#ifndef WITHIN_CLI_PUSH_QUERY_H
#define WITHIN_CLI_PUSH_QUERY_H

#include <within/closing.h>
#include <within/sqlite.h>

/** within (s, wi__push_query(db, "SELECT …")) { while (wi__push_next(db, s->handle)) … } */
#define wi__push_query(db, sql) wi_closing(wi__push_prepare(db, sql), wi__push_finalize)

/** @raise as SQLite's answer says */
sqlite3_stmt *wi__push_prepare(wi_database *db, const char *sql);
void wi__push_finalize(sqlite3_stmt *statement);

/** Parameters, from 1 on. A text must stay as it is until the statement ends. */
void wi__push_bind_int(sqlite3_stmt *statement, int parameter, int64_t value);
void wi__push_bind_text(sqlite3_stmt *statement, int parameter, const char *value);

/** Is there one more row? @raise as SQLite's answer says */
int wi__push_next(wi_database *db, sqlite3_stmt *statement);
/** Run it to its end, and make it ready for other parameters. */
void wi__push_finish(wi_database *db, sqlite3_stmt *statement);

/** The text of a column; "" for NULL. */
const char *wi__push_text(sqlite3_stmt *statement, int column);

#endif
