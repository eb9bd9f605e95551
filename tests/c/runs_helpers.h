/* What tests of a run's journal share: an empty database with one run, and points. */
#ifndef WITHIN_RUNS_HELPERS_H
#define WITHIN_RUNS_HELPERS_H

#include <fcntl.h>

#include "process_helpers.h"
#include "runs/drain.h"
#include "runs/schema.h"
#include "runs/series_data.h"

WI__UNUSED static void run_sql(sqlite3 *db, const char *sql) {
    char *why = NULL;
    int code = sqlite3_exec(db, sql, NULL, NULL, &why);
    expect_that(code == SQLITE_OK, sql, "%s", why ? why : "");
}

/* A connection to runs.db here. It syncs nothing: the worst that is tested is a kill, which leaves the system what it got. */
WI__UNUSED static sqlite3 *open_database(void) {
    sqlite3 *db;
    expect(sqlite3_open("runs.db", &db) == SQLITE_OK);
    run_sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON");
    return db;
}

/* The database, with a run in row 1. */
WI__UNUSED static sqlite3 *make_database(void) {
    sqlite3 *db = open_database();
    run_sql(db, "BEGIN");
    run_sql(db, wi__runs_schema);
    run_sql(db, wi__runs_views);
    run_sql(db, "INSERT INTO run (id, uuid, name, status, started_ms)"
                " VALUES (1, '0123456789abcdef0123456789abcdef', 'lorenz', 'RUNNING', 1000)");
    run_sql(db, "COMMIT");
    return db;
}

/* The one value that SQL gives, as text; "" for NULL. */
WI__UNUSED static const char *asked(sqlite3 *db, const char *sql) {
    static char text[4][4096];
    static int turn;
    char *to = text[turn++ % 4];
    sqlite3_stmt *statement;
    expect_that(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sql, "%s",
                sqlite3_errmsg(db));
    expect_that(sqlite3_step(statement) == SQLITE_ROW, sql, "%s", sqlite3_errmsg(db));
    const char *value = (const char *)sqlite3_column_text(statement, 0);
    snprintf(to, sizeof text[0], "%s", value ? value : "");
    sqlite3_finalize(statement);
    return to;
}

WI__UNUSED static int open_here(void) {
    int descriptor = open(".", O_RDONLY | O_DIRECTORY);
    expect(descriptor >= 0);
    return descriptor;
}

WI__UNUSED static wi__point point_of(uint32_t series, int64_t step, double value, int64_t ms) {
    wi__point point;
    memset(&point, 0, sizeof point);
    point.series = series;
    point.step = step;
    point.value = value;
    point.ms = ms;
    return point;
}

WI__UNUSED static void append(wi__points *points, uint32_t series, int64_t step, double value) {
    wi__point point = point_of(series, step, value, 1000 + step);
    expect_count(wi__points_append(points, &point), 0);
}

WI__UNUSED static void note_series(int notes, uint32_t number, const char *name) {
    wi__note note = {WI__NOTE_SERIES, number, 1, name, NULL};
    expect_count(wi__notes_append(notes, &note), 0);
}

WI__UNUSED static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

WI__UNUSED static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* xorshift64*: the same numbers in each run of the test. */
WI__UNUSED static uint64_t random_bits(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
