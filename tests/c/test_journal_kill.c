/*
 * kill -9 while a run logs, drains and compacts: what a call had returned for is in the database afterwards, once.
 *
 * The child counts in memory that it shares with this program how many of its calls have returned, a thread each.
 */
#include <sys/mman.h>

#include "runs/compact.h"
#include "runs/points_file.h"
#include "runs/writer.h"
#include "runs_helpers.h"

enum { THREADS = 4, KILLS = 20 };

/* Calls that have returned, on a line of its own for each thread. */
typedef struct returned {
    _Alignas(64) int64_t count;
} returned;

static returned *calls;

static uint64_t random_state = 20;

static void share_counts(void) {
    calls = mmap(NULL, THREADS * sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    expect(calls != MAP_FAILED);
}

/* ---- the child ---- */

typedef struct logging {
    wi__points *points;
    uint32_t number;
    int pause; /* between calls: a spin that is long enough for the drain to follow */
} logging;

static void *log_without_end(void *arg) {
    logging *l = arg;
    for (int64_t i = 0;; i++) {
        wi__point point = point_of(l->number, i, (double)i / 7, 1000 + i);
        if (wi__points_append(l->points, &point) != 0) abort();
        __atomic_store_n(&calls[l->number].count, i + 1, __ATOMIC_RELEASE);
        for (volatile int j = 0; j < l->pause; j++) continue;
    }
    return NULL;
}

/* Log in four threads, drained by the run's own. */
_Noreturn static void log_until_killed(int pause, int with_a_drain) {
    static logging each[THREADS];
    int here = open_here(), notes = wi__notes_open(here);
    wi__points *points = wi__points_create(here, 0);
    if (notes < 0 || !points) abort();
    wi__points_limit(points, 16);
    sqlite3 *db = with_a_drain ? open_database() : NULL;
    if (db && !wi__writer_start(&db, 1, points, notes)) abort();
    for (uint32_t i = 0; i < THREADS; i++) {
        char name[8];
        snprintf(name, sizeof name, "m%u", i);
        note_series(notes, i, name);
        each[i] = (logging){points, i, pause};
        start(log_without_end, &each[i]);
    }
    for (;;) sleep(1);
}

/* At random, and asleep, so that the cores are the child's. */
static void wait_less_than_ms(uint64_t ms) {
    long ns = (long)(random_bits(&random_state) % (ms * 1000000));
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void kill_within_ms(pid_t child, uint64_t ms) {
    int status;
    wait_less_than_ms(ms);
    expect_count(kill(child, SIGKILL), 0);
    expect(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    expect_count(WTERMSIG(status), SIGKILL);
}

/* ---- afterwards ---- */

static void recover(sqlite3 *db) {
    int here = open_here(), notes = wi__notes_open(here);
    wi__points *points = wi__points_open(here);
    expect_count(wi__drain(db, 1, points, notes, 1), SQLITE_OK);
    expect_count(wi__drain(db, 1, points, notes, 1), SQLITE_OK); /* twice: nothing comes twice */
    wi__points_close(points);
    close(notes);
    close(here);
}

/* All whose call had returned, at most the one that was going on besides, in order. */
static void expect_all_of(sqlite3 *db, uint32_t number) {
    char name[8];
    int64_t series, count, read, done = calls[number].count;
    snprintf(name, sizeof name, "m%u", number);
    expect_count(wi__series_find(db, 1, name, &series, &count), SQLITE_OK);
    expect_that(count == done || count == done + 1, name, "%lld points of %lld calls",
                (long long)count, (long long)done);
    int64_t *steps = malloc((size_t)count * 8 + 8);
    double *values = malloc((size_t)count * 8 + 8);
    expect_count(wi__series_read(db, series, 0, count, steps, NULL, values, &read), SQLITE_OK);
    expect_count(read, count);
    for (int64_t i = 0; i < count; i++) expect(steps[i] == i && values[i] == (double)i / 7);
    free(steps);
    free(values);
}

static void expect_all(sqlite3 *db) {
    for (uint32_t i = 0; i < THREADS; i++) expect_all_of(db, i);
    expect_text(asked(db, "PRAGMA integrity_check"), "ok");
}

static void start_over(void) {
    static const char *const files[] = {"points", "notes", "runs.db", "runs.db-wal", "runs.db-shm"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(files[i]);
    memset(calls, 0, THREADS * sizeof *calls);
    sqlite3_close(make_database());
}

/* Without a drain the points are those of the file alone, whose room is at most the limit's. */
static void kill_once(int round) {
    static const int pauses[] = {0, 20, 300, 3000};
    start_over();
    pid_t child = fork();
    if (child == 0) log_until_killed(pauses[round % 4], round % 5 != 0);
    kill_within_ms(child, 40);
    sqlite3 *db = open_database();
    recover(db);
    for (uint32_t i = 0; i < THREADS; i++) /* one that was killed before it had noted its names */
        if (!calls[i].count && asked(db, "SELECT count(*) FROM series")[0] != '4') {
            sqlite3_close(db);
            return;
        }
    expect_all(db);
    sqlite3_close(db);
}

alone(what_had_returned_before_a_kill_is_there_once) {
    share_counts();
    for (int round = 0; round < KILLS; round++) kill_once(round);
}

/* ---- a recovery and a compaction that are killed ---- */

static void log_some(void) {
    int here = open_here(), notes = wi__notes_open(here);
    wi__points *points = wi__points_create(here, 0);
    sqlite3 *db = open_database();
    for (uint32_t i = 0; i < THREADS; i++) {
        char name[8];
        snprintf(name, sizeof name, "m%u", i);
        note_series(notes, i, name);
    }
    for (int64_t i = 0; i < 60000; i++) {
        for (uint32_t s = 0; s < THREADS; s++) {
            wi__point point = point_of(s, i, (double)i / 7, 1000 + i);
            expect_count(wi__points_append(points, &point), 0);
            calls[s].count = i + 1;
        }
        if (i < 30000 && i % 300 == 0) expect_count(wi__drain(db, 1, points, notes, 0), SQLITE_OK);
    }
    sqlite3_close(db);
    wi__points_close(points);
    close(notes);
    close(here);
}

_Noreturn static void recover_and_compact(void) {
    sqlite3 *db = open_database();
    recover(db);
    wi__compact(db, 1);
    _exit(0);
}

alone(a_recovery_or_compaction_that_is_killed_is_done_by_the_next) {
    share_counts();
    for (int round = 0; round < 3; round++) {
        start_over();
        log_some();
        for (int kills = 0; kills < 6; kills++) {
            int status;
            pid_t child = fork();
            if (child == 0) recover_and_compact();
            wait_less_than_ms(30);
            kill(child, SIGKILL);
            expect(waitpid(child, &status, 0) == child);
        }
        sqlite3 *db = open_database();
        recover(db);
        expect_all(db);
        expect_count(wi__compact(db, 1), SQLITE_OK);
        expect_all(db);
        expect_text(asked(db, "SELECT count(*) FROM chunk"), "60");
        sqlite3_close(db);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(what_had_returned_before_a_kill_is_there_once),
        test(a_recovery_or_compaction_that_is_killed_is_done_by_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
