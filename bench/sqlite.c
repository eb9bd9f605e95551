/* A transaction's block, against the bare BEGIN IMMEDIATE and COMMIT: both insert by a prepared statement. */
#include <within/sqlite.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

/* One for the subject, one for the baseline: nobody waits, and both grow alike. */
typedef struct side {
    wi_database *db;
    sqlite3_stmt *insert;
} side;

static side ours, bare;

static void must(int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE) abort();
}

static void insert(const side *to, int rows) {
    for (int i = 0; i < rows; i++) {
        sqlite3_bind_int(to->insert, 1, i);
        must(sqlite3_step(to->insert));
        must(sqlite3_reset(to->insert));
    }
}

static void run_bare(const char *sql) {
    must(sqlite3_exec(bare.db->handle, sql, NULL, NULL, NULL));
}

static void blocks(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (wi_transaction(ours.db)) insert(&ours, size);
}

static void bare_calls(size_t n, int size) {
    for (size_t i = 0; i < n; i++) {
        run_bare("BEGIN IMMEDIATE");
        insert(&bare, size);
        run_bare("COMMIT");
    }
}

static void inner_blocks(size_t n, int size) {
    within (wi_transaction(ours.db))
        for (size_t i = 0; i < n; i++)
            within (wi_transaction(ours.db)) insert(&ours, size);
}

static void bare_savepoints(size_t n, int size) {
    run_bare("BEGIN IMMEDIATE");
    for (size_t i = 0; i < n; i++) {
        run_bare("SAVEPOINT one");
        insert(&bare, size);
        run_bare("RELEASE one");
    }
    run_bare("COMMIT");
}

static void prepare(side *to, wi_database *db) {
    to->db = db;
    wi_database_execute(db, "CREATE TABLE t (a)");
    must(sqlite3_prepare_v2(db->handle, "INSERT INTO t VALUES (?)", -1, &to->insert, NULL));
}

/* A target only where nobody waits for the disk: it differs more from one wait to the next. */
static void measure(const char *how, wi_synchronous synchronous) {
    const int waits = synchronous != WI_SYNCHRONOUS_OFF;
    const bench_target a_tenth = {waits ? BENCH_NOTHING : BENCH_RATIO, 1.1};
    const bench_target half_a_microsecond = {BENCH_DIFFERENCE, 500};
    char name[100];
    within (first, wi_database("ours.db", .synchronous = synchronous))
        within (second, wi_database("bare.db", .synchronous = synchronous)) {
            prepare(&ours, first);
            prepare(&bare, second);
            snprintf(name, sizeof name, "transaction: 1 insert, %s", how);
            bench(name, blocks, bare_calls, .size = 1, .target = a_tenth);
            snprintf(name, sizeof name, "transaction: 100 inserts, %s", how);
            bench(name, blocks, bare_calls, .size = 100, .target = a_tenth);
            if (!waits)
                bench("transaction: savepoint, 1 insert", inner_blocks, bare_savepoints, .size = 1,
                      .target = half_a_microsecond);
            sqlite3_finalize(ours.insert);
            sqlite3_finalize(bare.insert);
        }
    if (unlink("ours.db") || unlink("bare.db")) abort();
}

int main(void) {
    char folder[] = "/tmp/within-bench-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder)) abort();
    measure("no waiting for the disk", WI_SYNCHRONOUS_OFF);
    measure("on the disk", WI_SYNCHRONOUS_FULL);
    return rmdir(folder) ? 1 : 0;
}
