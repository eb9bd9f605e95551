/* Draining a journal into the database, compaction, and what is read back. */
#include <math.h>

#include "runs/chunk.h"
#include "runs/compact.h"
#include "runs/writer.h"
#include "runs_helpers.h"

/* A journal in a folder, and a database. */
typedef struct journal {
    sqlite3 *db;
    int folder, notes;
    wi__points *points;
} journal;

static journal make_journal(void) {
    journal j = {make_database(), open_here(), -1, NULL};
    j.notes = wi__notes_open(j.folder);
    j.points = wi__points_create(j.folder, 0);
    expect(j.notes >= 0 && j.points);
    return j;
}

static void leave_journal(journal *j) {
    expect_text(asked(j->db, "PRAGMA integrity_check"), "ok");

    wi__points_close(j->points);
    close(j->notes);
    close(j->folder);
    sqlite3_close(j->db);
}

static void drain(journal *j) {
    expect_count(wi__drain(j->db, 1, j->points, j->notes, 0), SQLITE_OK);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        test(points_that_are_drained_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
