/* Draining a journal into the database, compaction, and what is read back. */
#include <fenv.h>
#include <math.h>
#include <sys/resource.h>

#include "runs/chunk.h"
#include "runs/compact.h"
#include "runs/writer.h"
#include "runs_helpers.h"

/* A journal in a folder, and a database. */
typedef struct journal {
    sqlite3 *db;
    int folder, notes;
    wi__points *points;
    wi__drainer *drainer;
} journal;

static journal make_journal(void) {
    journal j = {make_database(), open_here(), -1, NULL, NULL};
    j.notes = wi__notes_open(j.folder);
    j.points = wi__points_create(j.folder, 0);
    j.drainer = wi__drainer_new(j.db, 1);
    expect(j.notes >= 0 && j.points && j.drainer);
    return j;
}

static void leave_journal(journal *j) {
    expect_text(asked(j->db, "PRAGMA integrity_check"), "ok");

    wi__drainer_free(j->drainer);
    wi__points_close(j->points);
    close(j->notes);
    close(j->folder);
    sqlite3_close(j->db);
}

static void drain(journal *j) {
    expect_count(wi__drainer_run(j->drainer, j->points, j->notes, 0), SQLITE_OK);
}

/* Points of a series as they were logged. */
typedef struct points_of {
    int64_t count, steps[20000], ms[20000];
    double values[20000];
} points_of;

static points_of *read_series(sqlite3 *db, const char *name) {
    static points_of p;
    int64_t series, count;
    expect_count(wi__series_find(db, 1, name, &series, &count), SQLITE_OK);
    expect(series > 0);
    expect_count(wi__series_read(db, series, 0, 20000, p.steps, p.ms, p.values, &p.count),
                 SQLITE_OK);
    expect_count(p.count, count);
    return &p;
}

alone(points_that_are_drained_are_read_back) {
    journal j = make_journal();
    note_series(j.notes, 0, "energy");
    note_series(j.notes, 1, "loss");
    for (int i = 0; i < 5000; i++) {
        append(j.points, 0, 10 * i, 0.1 * i);
        if (i % 2) append(j.points, 1, -i, i);
        if (i % 997 == 0) drain(&j);
    }
    drain(&j);
    points_of *energy = read_series(j.db, "energy");
    expect_count(energy->count, 5000);
    for (int i = 0; i < 5000; i++) {
        expect_count(energy->steps[i], 10 * i);
        expect_count(energy->ms[i], 1000 + 10 * i);
        expect(energy->values[i] == 0.1 * i);
    }
    points_of *loss = read_series(j.db, "loss");
    expect_count(loss->count, 2500);
    for (int i = 0; i < 2500; i++) expect(loss->steps[i] == -(2 * i + 1));
    leave_journal(&j);
}

/* ---- notes ---- */

static void add_note(int notes, wi__note_kind kind, int64_t number, const char *key,
                     const char *value) {
    wi__note note = {kind, number, 5000, key, value};
    expect_count(wi__notes_append(notes, &note), 0);
}

alone(notes_become_rows) {
    journal j = make_journal();
    add_note(j.notes, WI__NOTE_PARAM, 0, "sigma", "10");
    add_note(j.notes, WI__NOTE_PARAM, 0, "sigma", "11");
    add_note(j.notes, WI__NOTE_TAG, 0, "stage", "draft");
    add_note(j.notes, WI__NOTE_TAG, 0, "stage", "final");
    add_note(j.notes, WI__NOTE_ENVIRONMENT, 0, "processor", "'); DROP TABLE run; --");
    add_note(j.notes, WI__NOTE_ARTIFACT, 4000000000, "a/b.csv", "f0001234");
    add_note(j.notes, WI__NOTE_SECTION, 0, "main > solve", "12 1.5 0.5 0.125 nan 0.1 0.2 - 0.4 3");
    add_note(j.notes, WI__NOTE_FINDING, 0, "main", "leak: 3 descriptors: of files");
    add_note(j.notes, WI__NOTE_PEAK_MEMORY, 1000, "", "");
    add_note(j.notes, (wi__note_kind)15, 0, "of a newer", "version");
    add_note(j.notes, (wi__note_kind)4711, 0, "of a newer", "version");
    add_note(j.notes, WI__NOTE_END, 1, "FAILED", "why");
    drain(&j);
    drain(&j);
    expect_text(asked(j.db, "SELECT group_concat(key || '=' || value) FROM param"), "sigma=10");
    expect_text(asked(j.db, "SELECT group_concat(key || '=' || value) FROM tag"), "stage=final");
    expect_text(asked(j.db, "SELECT value FROM environment"), "'); DROP TABLE run; --");
    expect_text(asked(j.db, "SELECT name || bytes || ' ' || crc32c FROM artifact"),
                "a/b.csv4000000000 4026536500");
    expect_text(asked(j.db,
                      "SELECT path || calls || typeof(total) || self || ifnull(std, '-') || p50"
                      " || ifnull(p99, '-') || errors FROM section"),
                "main > solve12real0.5-0.2-3");
    expect_text(asked(j.db, "SELECT kind || '|' || section || '|' || what FROM finding"),
                "leak|main|3 descriptors: of files");
    expect_text(asked(j.db, "SELECT status || error || ended_ms || ' ' || exit_status || ' ' ||"
                            " peak_memory FROM run"),
                "FAILEDwhy5000 1 1000");
    leave_journal(&j);
}

alone(an_interrupted_run_has_the_name_of_its_signal) {
    journal j = make_journal();
    add_note(j.notes, WI__NOTE_END, SIGTERM, "INTERRUPTED", "");
    drain(&j);
    expect_text(asked(j.db, "SELECT status || signal || ifnull(exit_status, '-') ||"
                            " ifnull(error, '-') FROM run"),
                "INTERRUPTEDSIGTERM--");
    leave_journal(&j);
}

/* What the tables cannot hold must not keep the rest out. */
alone(a_note_that_makes_no_sense_is_passed_over) {
    journal j = make_journal();
    add_note(j.notes, WI__NOTE_END, 0, "SLEEPING", "");
    add_note(j.notes, WI__NOTE_PARAM, 0, "sigma", "10");
    drain(&j);
    expect_text(asked(j.db, "SELECT status || (SELECT value FROM param) FROM run"), "RUNNING10");
    leave_journal(&j);
}

alone(points_without_a_name_are_kept) {
    journal j = make_journal();
    append(j.points, 3, 1, 2.5);
    drain(&j);
    expect_text(asked(j.db, "SELECT name || last FROM series"),
                "(metric 3, whose name is lost)2.5");
    leave_journal(&j);
}

/* ---- series ---- */

alone(a_series_knows_its_range_and_last_point) {
    journal j = make_journal();
    const double values[] = {NAN, 2.0, -INFINITY, NAN, 7.5, 1.0};
    note_series(j.notes, 0, "x");
    for (int i = 0; i < 6; i++) {
        append(j.points, 0, 10 * i, values[i]);
        drain(&j);
        if (i == 0) expect_text(asked(j.db, "SELECT ifnull(least, '-') FROM series"), "-");
    }
    expect_text(asked(j.db,
                      "SELECT count || ' ' || last_step || ' ' || last_ms || ' ' || last || ' '"
                      " || least || ' ' || most FROM series"),
                "6 50 1050 1.0 -Inf 7.5");
    note_series(j.notes, 1, "at once");
    for (int i = 0; i < 6; i++) append(j.points, 1, i, values[i]);
    append(j.points, 1, 6, NAN);
    drain(&j);
    expect_text(
        asked(j.db, "SELECT least || ' ' || most || ifnull(last, '-') FROM series WHERE number"),
        "-Inf 7.5-");
    leave_journal(&j);
}

alone(a_series_is_read_from_anywhere) {
    journal j = make_journal();
    int64_t steps[100], read;
    note_series(j.notes, 0, "x");
    for (int i = 0; i < 10000; i++) {
        append(j.points, 0, i, i);
        if (i % 333 == 0) drain(&j);
    }
    drain(&j);
    for (int64_t position = 0; position < 10000; position += 77) {
        expect_count(wi__series_read(j.db, 1, position, 100, steps, NULL, NULL, &read), SQLITE_OK);
        expect_count(read, position <= 9900 ? 100 : 10000 - position);
        for (int64_t i = 0; i < read; i++) expect_count(steps[i], position + i);
    }
    expect_count(wi__series_read(j.db, 1, 10000, 100, steps, NULL, NULL, &read), SQLITE_OK);
    expect_count(read, 0);
    expect_count(wi__series_read(j.db, 99, 0, 100, steps, NULL, NULL, &read), SQLITE_OK);
    expect_count(read, 0);
    int64_t series, count;
    expect_count(wi__series_find(j.db, 1, "y", &series, &count), SQLITE_OK);
    expect_count(series, 0);
    leave_journal(&j);
}

alone(a_missing_or_damaged_chunk_is_told) {
    journal j = make_journal();
    static int64_t steps[3000];
    int64_t read;
    note_series(j.notes, 0, "x");
    for (int i = 0; i < 3000; i++) {
        append(j.points, 0, i, 0.1 * i);
        if (i % 500 == 499) drain(&j);
    }
    run_sql(j.db, "UPDATE chunk SET points = x'0011' WHERE position = 1000");
    expect_count(wi__series_read(j.db, 1, 0, 3000, steps, NULL, NULL, &read), SQLITE_CORRUPT);
    expect_count(read, 1000);
    expect_count(wi__compact(j.db, 1), SQLITE_CORRUPT);
    run_sql(j.db, "DELETE FROM chunk WHERE position = 1000");
    expect_count(wi__series_read(j.db, 1, 0, 3000, steps, NULL, NULL, &read), SQLITE_CORRUPT);
    expect_count(wi__compact(j.db, 1), SQLITE_CORRUPT);
    expect_text(asked(j.db, "SELECT count(*) FROM chunk"), "5");
    leave_journal(&j);
}

alone(many_names_are_no_trouble) {
    enum { NAMES = 20000 };
    journal j = make_journal();
    char name[40];
    for (uint32_t i = 0; i < NAMES; i += 2) { /* every other one has no point */
        snprintf(name, sizeof name, "'%u'; --", i);
        note_series(j.notes, i, name);
        append(j.points, i, 1, i);
        snprintf(name, sizeof name, "%u", i);
        note_series(j.notes, i + 1, name);
    }
    drain(&j);
    expect_text(asked(j.db, "SELECT count(*) || ' ' || sum(count) FROM series"), "20000 10000");
    expect_text(asked(j.db, "SELECT last FROM series WHERE name = '''19998''; --'"), "19998.0");
    leave_journal(&j);
}

/* ---- compaction ---- */

alone(compaction_changes_no_point) {
    journal j = make_journal();
    static double values[3][20000];
    const char *const names[] = {"a", "b", "c"};
    uint64_t random = 9;
    int64_t counts[3] = {0};
    for (uint32_t s = 0; s < 3; s++) note_series(j.notes, s, names[s]);
    for (int i = 0; i < 22000; i++) {
        uint32_t s = i % 10 == 0 ? 1 : i % 1000 == 1 ? 2 : 0;
        double value = double_of(random_bits(&random));
        append(j.points, s, counts[s], value);
        values[s][counts[s]++] = value;
        if (random_bits(&random) % 50 == 0) drain(&j);
    }
    drain(&j);
    expect_count(wi__compact(j.db, 1), SQLITE_OK);
    for (int s = 0; s < 3; s++) {
        points_of *p = read_series(j.db, names[s]);
        expect_count(p->count, counts[s]);
        expect(memcmp(p->values, values[s], (size_t)counts[s] * 8) == 0);
        for (int64_t i = 0; i < p->count; i++) expect_count(p->steps[i], i);
    }
    expect_text(asked(j.db, "SELECT max(abs((SELECT count(*) FROM chunk WHERE series = s.id) -"
                            " (count + 4095) / 4096)) FROM series s"),
                "0");
    const char *before = asked(j.db, "SELECT max(id) FROM chunk");
    expect_count(wi__compact(j.db, 1), SQLITE_OK); /* nothing is left to do */
    expect_text(asked(j.db, "SELECT max(id) FROM chunk"), before);
    append(j.points, 2, 5, 5); /* a run that goes on */
    drain(&j);
    expect_count(wi__compact(j.db, 1), SQLITE_OK);
    expect_count(read_series(j.db, "c")->count, counts[2] + 1);
    leave_journal(&j);
}

alone(a_series_longer_than_a_piece_is_compacted) {
    enum { COUNT = 600000 };
    journal j = make_journal();
    int64_t *steps = malloc(sizeof *steps * COUNT), read;
    note_series(j.notes, 0, "x");
    for (int i = 0; i < COUNT; i++) {
        append(j.points, 0, i, i);
        if (i % 701 == 0) drain(&j);
    }
    drain(&j);
    expect_count(wi__compact(j.db, 1), SQLITE_OK);
    expect_count(wi__series_read(j.db, 1, 0, COUNT, steps, NULL, NULL, &read), SQLITE_OK);
    expect_count(read, COUNT);
    for (int64_t i = 0; i < COUNT; i++) expect_count(steps[i], i);
    expect_text(asked(j.db, "SELECT count(*) FROM chunk"), "147");
    free(steps);
    leave_journal(&j);
}

/* ---- others at the database ---- */

alone(while_others_hold_the_database_points_wait_and_none_is_lost) {
    journal j = make_journal();
    sqlite3 *other = open_database();
    note_series(j.notes, 0, "x");
    run_sql(other, "BEGIN IMMEDIATE");
    sqlite3 *mine = open_database();
    wi__writer *writer = wi__writer_start(&mine, 1, j.points, j.notes);
    for (int i = 0; i < 200000; i++) append(j.points, 0, i, i);
    spend_ms(400);
    expect_text(asked(j.db, "SELECT points || ' ' || notes FROM run"), "0 0");
    expect(size_of("points") > 6 << 20);
    expect(wi__writer_stop(writer, 0) == SQLITE_BUSY);
    wi__writer_free(writer);
    run_sql(other, "ROLLBACK");
    writer = wi__writer_start(&mine, 1, j.points, j.notes);
    expect_count(wi__writer_stop(writer, 10), SQLITE_OK);
    wi__writer_free(writer);
    expect_text(asked(j.db, "SELECT count FROM series"), "200000");
    sqlite3_close(mine);
    sqlite3_close(other);
    leave_journal(&j);
}

/* The transaction fails as a whole; what it held stays in the journal. */
alone(a_full_disk_under_the_database_loses_nothing) {
    journal j = make_journal();
    note_series(j.notes, 0, "x");
    for (int i = 0; i < 100000; i++) append(j.points, 0, i, 0.1 * i);
    struct rlimit limit, before;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)size_of("runs.db-wal") + 100000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    expect(wi__drain(j.db, 1, j.points, j.notes, 0) != SQLITE_OK);
    expect_text(asked(j.db, "SELECT count(*) FROM series"), "0");
    expect_text(asked(j.db, "SELECT points || ' ' || notes FROM run"), "0 0");
    setrlimit(RLIMIT_FSIZE, &before);
    for (int i = 100000; i < 200000; i++) append(j.points, 0, i, 0.1 * i);
    drain(&j);
    static int64_t steps[200000];
    int64_t read;
    expect_count(wi__series_read(j.db, 1, 0, 200000, steps, NULL, NULL, &read), SQLITE_OK);
    expect_count(read, 200000);
    for (int64_t i = 0; i < read; i++) expect_count(steps[i], i);
    leave_journal(&j);
}

alone(two_that_drain_at_once_bring_nothing_in_twice) {
    journal j = make_journal();
    note_series(j.notes, 0, "x");
    append(j.points, 0, 1, 1);
    run_sql(j.db, "CREATE TRIGGER meanwhile AFTER INSERT ON chunk BEGIN"
                  " UPDATE run SET points = points + 1; END"); /* what another would have done */
    expect_count(wi__drain(j.db, 1, j.points, j.notes, 0), SQLITE_ABORT_ROLLBACK);
    expect_text(asked(j.db, "SELECT count(*) FROM series"), "0");
    run_sql(j.db, "DROP TRIGGER meanwhile");
    drain(&j);
    expect_text(asked(j.db, "SELECT count || points FROM series, run"), "11");
    leave_journal(&j);
}

/* ---- what a kill could leave ---- */

static int compare(void *commits, sqlite3 *db, const char *database, int pages) {
    (void)db, (void)database, (void)pages;
    sqlite3 *other;
    expect(sqlite3_open("runs.db", &other) == SQLITE_OK);
    expect_text(asked(other, "SELECT sum(count) - (SELECT points FROM run) FROM series"), "0");
    expect_text(asked(other, "SELECT sum(count) - (SELECT points FROM run) FROM chunk"), "0");
    sqlite3_close(other);
    ++*(int *)commits;
    return SQLITE_OK;
}

alone(whatever_is_committed_has_the_points_as_far_as_it_says) {
    journal j = make_journal();
    int commits = 0;
    note_series(j.notes, 0, "energy");
    sqlite3_wal_hook(j.db, compare, &commits);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 100; k++) append(j.points, 0, k, k);
        drain(&j);
    }
    expect(commits >= 5);
    sqlite3_wal_hook(j.db, NULL, NULL);
    leave_journal(&j);
}

enum { NEW_SERIES = 20000 };

static void *log_new_series(void *arg) {
    const journal *j = arg;
    for (uint32_t i = 0; i < NEW_SERIES; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%u", i);
        note_series(j->notes, i, name);
        append(j->points, i, 0, i);
    }
    return NULL;
}

alone(a_point_is_never_there_before_the_name_of_its_series) {
    journal j = make_journal();
    pthread_t logging = start(log_new_series, &j);
    while (pthread_tryjoin_np(logging, NULL) != 0) drain(&j);
    drain(&j);
    expect_text(asked(j.db, "SELECT count(*) FROM series WHERE name = 'm' || number"), "20000");
    leave_journal(&j);
}

alone(a_run_that_is_not_there_is_told) {
    journal j = make_journal();
    append(j.points, 0, 1, 1);
    expect_count(wi__drain(j.db, 2, j.points, j.notes, 0), SQLITE_NOTFOUND);
    expect_count(wi__drain(j.db, 1, NULL, -1, 1), SQLITE_OK);
    leave_journal(&j);
}

alone(a_table_that_is_missing_is_told_and_what_waits_for_it_stays) {
    journal j = make_journal();
    wi__note tag = {WI__NOTE_TAG, 0, 0, "state", "draft"};
    expect(wi__notes_append(j.notes, &tag) == 0);
    expect(sqlite3_exec(j.db, "ALTER TABLE tag RENAME TO gat", NULL, NULL, NULL) == SQLITE_OK);
    expect_count(wi__drain(j.db, 1, j.points, j.notes, 0), SQLITE_ERROR);
    expect(sqlite3_exec(j.db, "ALTER TABLE gat RENAME TO tag", NULL, NULL, NULL) == SQLITE_OK);
    expect_count(wi__drain(j.db, 1, j.points, j.notes, 0), SQLITE_OK);
    expect_text(asked(j.db, "SELECT value FROM tag"), "draft");
    leave_journal(&j);
}

/* A trap of the program's must not reach the thread: there are signalling NaNs among the values. */
alone(the_thread_drains_by_itself) {
    journal j = make_journal();
    sqlite3 *mine = open_database();
    feenableexcept(FE_INVALID | FE_OVERFLOW);
    wi__writer *writer = wi__writer_start(&mine, 1, j.points, j.notes);
    note_series(j.notes, 0, "x");
    append(j.points, 0, 1, double_of(UINT64_C(0x7ff0000000000001)));
    double end = now_s() + 30;
    while (strcmp(asked(j.db, "SELECT points FROM run"), "1") != 0 && now_s() < end) spend_ms(10);
    expect_text(asked(j.db, "SELECT points FROM run"), "1");
    expect_count(wi__writer_stop(writer, 1), SQLITE_OK);
    wi__writer_free(writer);
    sqlite3_close(mine);
    leave_journal(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(points_that_are_drained_are_read_back),
        test(notes_become_rows),
        test(an_interrupted_run_has_the_name_of_its_signal),
        test(a_note_that_makes_no_sense_is_passed_over),
        test(points_without_a_name_are_kept),
        test(a_series_knows_its_range_and_last_point),
        test(a_series_is_read_from_anywhere),
        test(a_missing_or_damaged_chunk_is_told),
        test(many_names_are_no_trouble),
        test(compaction_changes_no_point),
        test(a_series_longer_than_a_piece_is_compacted),
        test(while_others_hold_the_database_points_wait_and_none_is_lost),
        test(a_full_disk_under_the_database_loses_nothing),
        test(two_that_drain_at_once_bring_nothing_in_twice),
        test(whatever_is_committed_has_the_points_as_far_as_it_says),
        test(a_point_is_never_there_before_the_name_of_its_series),
        test(a_run_that_is_not_there_is_told),
        test(a_table_that_is_missing_is_told_and_what_waits_for_it_stays),
        test(the_thread_drains_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
