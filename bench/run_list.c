/* A list of 10,000 runs: the whole process `within runs`, against SQLite's rows of that table and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "command.h"
#include "harness.h"
#include "runs/schema.h"

static const char *within_program;
static const char database[] = "runs.db";

static void check(int is_good, const char *what) {
    if (is_good) return;
    fprintf(stderr, "run_list: %s failed\n", what);
    exit(1);
}

/* With a parameter and a metric each, as lists of experiments have them. */
static void make_runs(void) {
    static const char rows[] =
        "BEGIN;"
        "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 10000)"
        " INSERT INTO run (uuid, name, status, started_ms, ended_ms)"
        " SELECT printf('%032x', n * 2654435761), 'sweep ' || n % 50, 'FINISHED',"
        " 1772000000000 + n * 1000, 1772000000500 + n * 1000 FROM i;"
        "INSERT INTO param SELECT id, 'seed', id FROM run;"
        "INSERT INTO series (run, number, name, count, last) SELECT id, 0, 'loss', 100, 1.0 / id"
        " FROM run;"
        "COMMIT;";
    sqlite3 *db;
    check(sqlite3_open(database, &db) == SQLITE_OK, "open");
    check(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK, "WAL");
    check(sqlite3_exec(db, wi__runs_schema, NULL, NULL, NULL) == SQLITE_OK, "the schema");
    check(sqlite3_exec(db, rows, NULL, NULL, NULL) == SQLITE_OK, "the rows");
    check(sqlite3_close(db) == SQLITE_OK, "close");
}

static void plain_lists(size_t n, int size) {
    const char *arguments[] = {"within", "runs", "--database", database, NULL};
    (void)size;
    for (size_t i = 0; i < n; i++) run_command(within_program, arguments);
}

static void lists_with_columns(size_t n, int size) {
    const char *arguments[] = {"within",   "runs", "--database", database, "--column", "seed",
                               "--column", "loss", "--sort",     "loss",   NULL};
    (void)size;
    for (size_t i = 0; i < n; i++) run_command(within_program, arguments);
}

static void reads(size_t n, int size) {
    sqlite3 *db;
    sqlite3_stmt *rows;
    (void)size;
    check(sqlite3_open(database, &db) == SQLITE_OK, "open");
    for (size_t i = 0; i < n; i++) {
        sqlite3_prepare_v2(db, "SELECT * FROM run ORDER BY started_ms DESC", -1, &rows, NULL);
        while (sqlite3_step(rows) == SQLITE_ROW) continue;
        check(sqlite3_finalize(rows) == SQLITE_OK, "read");
    }
    sqlite3_close(db);
}

int main(int count, char **arguments) {
    static const char plain[] = "within runs of 10,000 runs";
    static const char columns[] = "within runs of 10,000 runs, two columns, sorted";
    if (!bench_wanted(plain) && !bench_wanted(columns)) return 0;
    if (count != 2) {
        fputs("usage: run_list WITHIN_PROGRAM\n", stderr);
        return 2;
    }
    within_program = arguments[1];
    make_runs();
    bench(plain, plain_lists, reads, .target = {BENCH_VALUE, 1e8});
    bench(columns, lists_with_columns, reads, .target = {BENCH_VALUE, 1e8});
    return 0;
}
