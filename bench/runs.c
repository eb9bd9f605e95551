/*
 * Runs: what a call costs, how many points a second go into SQLite, how large they are there, and how long it takes to
 * read them. Against memory that a kill loses, and against a row a point in SQLite; the databases of both sides have a
 * WAL and synchronous NORMAL. With its record in a file (WITHIN_RECORD), or that lies in the last database's folder.
 */
#include <within/run.h>
#include <within/sqlite.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "runs/series_data.h"

enum { SERIES = 100 };

static char names[SERIES][16];
static wi_series *series[SERIES];
static wi_run *running;
static int64_t logged;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Numbers that no coding makes small. */
static double value_of(int64_t i) { return (double)i * 0.7310585786300049; }

/* ---- a call ---- */

static void by_name(size_t n, int size) {
    for (size_t i = 0; i < n; i++, logged++)
        wi_run_metric(running, names[logged % size], logged, value_of(logged));
}

static void by_series(size_t n, int size) {
    for (size_t i = 0; i < n; i++, logged++)
        wi_series_add(series[logged % size], logged, value_of(logged));
}

typedef struct lost_point {
    int64_t series, step;
    double value;
    int64_t ms;
} lost_point;

/* What a program might do by itself: a ring in memory, with the time of each. */
static void in_memory(size_t n, int size) {
    static lost_point ring[1 << 15];
    static int64_t count;
    for (size_t i = 0; i < n; i++, count++) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME_COARSE, &t);
        ring[count % (1 << 15)] = (lost_point){count % size, count, value_of(count),
                                               t.tv_sec * 1000 + t.tv_nsec / 1000000};
    }
    __asm__ volatile("" ::"r"(ring) : "memory");
}

static void measure_calls(void) {
    const bench_target at_most_150 = {BENCH_VALUE, 150};
    within (run, wi_run("calls", .database = "calls.db")) {
        running = run;
        for (int i = 0; i < SERIES; i++) series[i] = wi_run_series(run, names[i]);
        bench("run: wi_run_metric, 100 names, against a ring in memory", by_name, in_memory,
              .size = SERIES, .target = at_most_150);
        bench("run: wi_series_add, 100 series, against a ring in memory", by_series, in_memory,
              .size = SERIES, .target = at_most_150);
    }
}

/* ---- each call alone ---- */

enum { CALLS = 2000000 };

static int by_value(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

/* The time of each of many calls, the shortest first; of none if there is no run: the clock's own. */
static double *each_ns(wi_run *run) {
    double *ns = malloc(CALLS * sizeof *ns);
    if (!ns) abort();
    for (int i = 0; i < CALLS; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        if (run) wi_run_metric(run, names[0], i, value_of(i));
        clock_gettime(CLOCK_MONOTONIC, &end);
        ns[i] = 1e9 * (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec);
    }
    qsort(ns, CALLS, sizeof *ns, by_value);
    return ns;
}

static void measure_latency(void) {
    static const struct {
        const char *name;
        double place;
    } rows[] = {{"run: one of 2,000,000 calls of wi_run_metric, p50", 0.5},
                {"run: one of 2,000,000 calls of wi_run_metric, p99.9", 0.999},
                {"run: one of 2,000,000 calls of wi_run_metric, worst", 1}};
    double *calls = NULL, *clock = NULL;
    if (!bench_wanted(rows[0].name) && !bench_wanted(rows[1].name) && !bench_wanted(rows[2].name))
        return;
    within (run, wi_run("latency", .database = "calls.db")) calls = each_ns(run);
    clock = each_ns(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t at = (size_t)(rows[i].place * (CALLS - 1));
        if (bench_wanted(rows[i].name))
            bench_ns(rows[i].name, calls[at], clock[at], (bench_target){BENCH_NOTHING, 0});
    }
    free(calls);
    free(clock);
}

/* ---- into SQLite ---- */

/* A row a point, in transactions of 10,000: ns a point. */
static double rows_ns(double seconds) {
    int64_t count = 0;
    double begin = now_s(), took = 0;
    within (db, wi_database("rows.db", .synchronous = WI_SYNCHRONOUS_NORMAL)) {
        sqlite3_stmt *insert;
        wi_database_execute(db, "CREATE TABLE point (series INTEGER, step INTEGER, ms INTEGER,"
                                " value REAL)");
        wi_sqlite_check(db->handle,
                        sqlite3_prepare_v2(db->handle, "INSERT INTO point VALUES (?, ?, 0, ?)", -1,
                                           &insert, NULL),
                        "prepare");
        while (now_s() - begin < seconds)
            within (wi_transaction(db))
                for (int i = 0; i < 10000; i++, count++) {
                    sqlite3_bind_int64(insert, 1, count % SERIES);
                    sqlite3_bind_int64(insert, 2, count);
                    sqlite3_bind_double(insert, 3, value_of(count));
                    sqlite3_step(insert);
                    sqlite3_reset(insert);
                }
        took = now_s() - begin;
        sqlite3_finalize(insert);
    }
    return 1e9 * took / (double)count;
}

static int64_t ask(const char *path, const char *sql) {
    int64_t answer = 0;
    within (db, wi_database(path, .read_only = 1)) {
        sqlite3_stmt *statement;
        wi_sqlite_check(db->handle, sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL), "%s",
                        sql);
        if (sqlite3_step(statement) == SQLITE_ROW) answer = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
    }
    return answer;
}

typedef struct logging {
    double seconds;
    int64_t count;
} logging;

static void *log_for_a_while(void *arg) {
    logging *l = arg;
    double end = now_s() + l->seconds;
    while (now_s() < end)
        for (int i = 0; i < 10000; i++, l->count++)
            wi_series_add(series[l->count % SERIES], l->count, value_of(l->count));
    return NULL;
}

/* Until the last of them is in the database. */
static double sustained_ns(int threads, double seconds, int64_t *count) {
    logging each[8] = {{0, 0}};
    pthread_t thread[8];
    double begin = now_s();
    for (int i = 0; i < threads; i++) {
        each[i].seconds = seconds;
        if (pthread_create(&thread[i], NULL, log_for_a_while, &each[i]) != 0) abort();
    }
    *count = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        *count += each[i].count;
    }
    while (ask("runs.db", "SELECT points FROM run ORDER BY id DESC LIMIT 1") < *count) usleep(2000);
    return 1e9 * (now_s() - begin) / (double)*count;
}

static double bytes_in(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? (double)status.st_size : 0;
}

static void measure_points(int threads, double seconds, double baseline) {
    char name[100];
    int64_t count = 0;
    double each = 0, ending = 0;
    snprintf(name, sizeof name, "run: points of %d thread%s into SQLite, against a row each",
             threads, threads > 1 ? "s" : "");
    if (!bench_wanted(name)) return;
    within (run, wi_run("sustained", .database = "runs.db")) {
        for (int i = 0; i < SERIES; i++) series[i] = wi_run_series(run, names[i]);
        each = sustained_ns(threads, seconds, &count);
        ending = now_s();
    }
    ending = 1e9 * (now_s() - ending) / (double)count;
    bench_ns(name, each, baseline, (bench_target){BENCH_VALUE, 200});
    snprintf(name, sizeof name, "run: the end of a run of %d thread%s, a point", threads,
             threads > 1 ? "s" : "");
    bench_ns(name, ending, baseline, (bench_target){BENCH_NOTHING, 0});
    if (threads > 1) return;
    int64_t all = ask("runs.db", "SELECT sum(count) FROM series");
    bench_bytes("run: bytes a point in the database, against a row each",
                bytes_in("runs.db") / (double)all,
                bytes_in("rows.db") / (double)ask("rows.db", "SELECT max(rowid) FROM point"),
                (bench_target){BENCH_VALUE, 12});
}

static void measure_sustained(void) {
    double seconds = 10 * bench_seconds();
    cpu_set_t
        all; /* the rows before have left this thread on one core, and its threads would follow */
    CPU_ZERO(&all);
    for (int i = 0; i < CPU_SETSIZE; i++) CPU_SET(i, &all);
    sched_setaffinity(0, sizeof all, &all);
    double baseline = rows_ns(seconds / 5);
    measure_points(1, seconds, baseline);
    measure_points(4, seconds, baseline);
}

/* ---- reading ---- */

static double read_series_ns(int64_t most, int64_t *steps, int64_t *ms, double *values) {
    double took = 0;
    int64_t row, count, read = 0;
    within (db, wi_database("long.db", .read_only = 1)) {
        double begin = now_s();
        if (wi__series_find(db->handle, 1, names[0], &row, &count) != SQLITE_OK) abort();
        if (wi__series_read(db->handle, row, 0, most, steps, ms, values, &read) != SQLITE_OK)
            abort();
        took = now_s() - begin;
    }
    if (read != most || steps[most - 1] != most - 1) abort();
    return 1e9 * took / (double)read;
}

static double read_rows_ns(int64_t *steps, int64_t *ms, double *values) {
    double took = 0;
    int64_t count = 0;
    within (db, wi_database("rows.db", .read_only = 1)) {
        sqlite3_stmt *select;
        double begin = now_s();
        sqlite3_prepare_v2(db->handle, "SELECT step, ms, value FROM point LIMIT 1000000", -1,
                           &select, NULL);
        for (; sqlite3_step(select) == SQLITE_ROW; count++) {
            steps[count] = sqlite3_column_int64(select, 0);
            ms[count] = sqlite3_column_int64(select, 1);
            values[count] = sqlite3_column_double(select, 2);
        }
        took = now_s() - begin;
        sqlite3_finalize(select);
    }
    return 1e9 * took / (double)count;
}

static void measure_reading(void) {
    enum { POINTS = 10000000 };
    const char *name = "run: read a series of 10 million points, a point, against rows";
    if (!bench_wanted(name)) return;
    int64_t *steps = malloc(POINTS * sizeof *steps), *ms = malloc(POINTS * sizeof *ms);
    double *values = malloc(POINTS * sizeof *values);
    if (!steps || !ms || !values) abort();
    within (run, wi_run("long", .database = "long.db"))
        for (int64_t i = 0; i < POINTS; i++) wi_run_metric(run, names[0], i, value_of(i));
    double rows = read_rows_ns(steps, ms, values);
    read_series_ns(POINTS, steps, ms, values); /* once, so that both are in the page cache */
    bench_ns(name, read_series_ns(POINTS, steps, ms, values), rows,
             (bench_target){BENCH_RATIO, 0.5});
    free(steps);
    free(ms);
    free(values);
}

/* Who read it last, and may not write, has left its log. */
static void remove_database(const char *path) {
    const char *const ends[] = {"", "-wal", "-shm", ".live"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        remove(name);
    }
}

int main(void) {
    char folder[] = "/tmp/within-bench-XXXXXX";
    const char *const files[] = {"calls.db", "rows.db", "runs.db", "long.db"};
    if (!mkdtemp(folder) || chdir(folder) != 0) abort();
    for (int i = 0; i < SERIES; i++) snprintf(names[i], sizeof names[i], "metric_%d", i);
    measure_calls();
    measure_latency();
    measure_sustained();
    measure_reading();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) remove_database(files[i]);
    return chdir("/") == 0 ? rmdir(folder) : 1;
}
