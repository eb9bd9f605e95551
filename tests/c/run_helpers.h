/* What the tests of within-runs share: one text or number from the database, and a folder's live runs. */
#ifndef WITHIN_RUN_HELPERS_H
#define WITHIN_RUN_HELPERS_H

#include <dirent.h>

#include "sqlite_helpers.h"

#include <within/run.h>

/* The first value of a query, as text; in one of some buffers that later calls use again. */
WI__UNUSED static const char *text_in(const char *path, const char *sql) {
    static char texts[8][4096];
    static int next;
    char *text = texts[next++ % 8];
    sqlite3 *db;
    sqlite3_stmt *row;
    expect(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    expect_that(sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK, sql, "%s",
                sqlite3_errmsg(db));
    const char *value =
        sqlite3_step(row) == SQLITE_ROW ? (const char *)sqlite3_column_text(row, 0) : "no row";
    snprintf(text, sizeof texts[0], "%s", value ? value : "NULL");
    sqlite3_finalize(row);
    sqlite3_close(db);
    return text;
}
#define text_of(sql) text_in("runs.db", sql)
#define number_of(sql) atoll(text_of(sql))
#define expect_status(name, wanted)                                                                \
    expect_text(text_of("SELECT status FROM run WHERE name = '" name "'"), wanted)

/* How many entries a folder has; -1: it is not there. */
WI__UNUSED static int entries_in(const char *path) {
    DIR *stream = opendir(path);
    int count = stream ? 0 : -1;
    for (struct dirent *each; stream && (each = readdir(stream));) count += each->d_name[0] != '.';
    if (stream) closedir(stream);
    return count;
}

#endif
