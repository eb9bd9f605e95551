/* Bringing a run's journal into the database: what is new, and how far it was read, in one transaction. */
#include "runs/drain.h"

#include <errno.h>
#include <stdlib.h>

#include "runs/drain_notes.h"
#include "runs/drain_points.h"
#include "runs/sql.h"

struct wi__drainer {
    sqlite3 *db;
    wi__note_statements notes;
    wi__batch *batch;
    int has_begun; /* a transaction */
};

/* How far a journal is read. */
typedef struct mark {
    uint64_t points, notes;
} mark;

wi__drainer *wi__drainer_new(sqlite3 *db, int64_t run) {
    wi__drainer *drainer = calloc(1, sizeof *drainer);
    if (!drainer) return NULL;
    drainer->db = drainer->notes.db = db;
    drainer->notes.run = run;
    drainer->batch = wi__batch_new(db, run);
    if (drainer->batch) return drainer;
    free(drainer);
    return NULL;
}

void wi__drainer_free(wi__drainer *drainer) {
    if (!drainer) return;
    wi__note_statements_finalize(&drainer->notes);
    wi__batch_free(drainer->batch);
    free(drainer);
}

/* ---- how far ---- */

static int read_mark(const wi__drainer *drainer, mark *from) {
    sqlite3_stmt *row;
    int code = wi__sql_prepare(drainer->db, &row, "SELECT points, notes FROM run WHERE id = ?", "i",
                               drainer->notes.run);
    code = wi__sql_step(row, code);
    if (code == SQLITE_ROW) {
        from->points = (uint64_t)sqlite3_column_int64(row, 0);
        from->notes = (uint64_t)sqlite3_column_int64(row, 1);
    }
    sqlite3_finalize(row);
    return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
}

static int write_mark(const wi__drainer *drainer, const mark *from, const mark *to) {
    int code = wi__sql_run(drainer->db,
                           "UPDATE run SET points = ?, notes = ?"
                           " WHERE id = ? AND points = ? AND notes = ?",
                           "iiiii", (int64_t)to->points, (int64_t)to->notes, drainer->notes.run,
                           (int64_t)from->points, (int64_t)from->notes);
    if (code != SQLITE_OK) return code;
    return sqlite3_changes(drainer->db) == 1 ? SQLITE_OK : SQLITE_ABORT_ROLLBACK;
}

/* ---- a transaction ---- */

/* Begun by the first that has something to write: so that nothing is written for nothing. */
static int begin(wi__drainer *drainer) {
    if (drainer->has_begun) return SQLITE_OK;
    int code = sqlite3_exec(drainer->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    drainer->has_begun = code == SQLITE_OK;
    return code;
}

static int end(wi__drainer *drainer, int code) {
    if (!drainer->has_begun) return code;
    code = wi__sql_end(drainer->db, code);
    if (code != SQLITE_OK) wi__batch_forget(drainer->batch);
    drainer->has_begun = 0;
    return code;
}

/* ---- what is new ---- */

/* An errno value is positive, as a code of SQLite is: the code goes by here. */
typedef struct taking {
    wi__drainer *drainer;
    int code;
} taking;

static int take_note(void *arg, const wi__note *note) {
    taking *t = arg;
    t->code = begin(t->drainer);
    if (t->code == SQLITE_OK) t->code = wi__note_apply(&t->drainer->notes, note);
    return t->code != SQLITE_OK;
}

static int take_notes(wi__drainer *drainer, int notes, uint64_t *offset) {
    taking t = {drainer, SQLITE_OK};
    int error = notes >= 0 ? wi__notes_read(notes, offset, take_note, &t) : 0;
    if (t.code != SQLITE_OK) return t.code;
    return error == ENOMEM ? SQLITE_NOMEM : error ? SQLITE_IOERR_READ : SQLITE_OK;
}

/* Points first: the name of each was noted before. There are few as a rule, so room for all is made where it is full. */
static int read_points(wi__drainer *drainer, wi__points *points, uint64_t *ticket, int is_dead,
                       int64_t *count) {
    *count = 0;
    if (!points) return SQLITE_OK;
    for (int64_t room = WI__BATCH_LEAST; room <= WI__BATCH_POINTS; room *= 2) {
        wi__point *to = wi__batch_points(drainer->batch, room);
        if (!to) return SQLITE_NOMEM;
        uint64_t wanted = (uint64_t)(room - *count);
        *count += (int64_t)wi__points_read(points, ticket, to + *count, wanted, is_dead);
        if (*count < room) break;
    }
    return wi__batch_sort(drainer->batch, *count);
}

static int drain_some(wi__drainer *drainer, wi__points *points, int notes, int is_dead,
                      int64_t *count) {
    mark from = {0, 0};
    int code = read_mark(drainer, &from);
    if (code != SQLITE_OK) return code;
    mark to = from;
    code = read_points(drainer, points, &to.points, is_dead, count);
    if (code == SQLITE_OK) code = take_notes(drainer, notes, &to.notes);
    if (code == SQLITE_OK && *count) {
        code = begin(drainer);
        if (code == SQLITE_OK) code = wi__batch_write(drainer->batch);
    }
    if (code == SQLITE_OK && drainer->has_begun) code = write_mark(drainer, &from, &to);
    code = end(drainer, code);
    if (code == SQLITE_OK && points) wi__points_drained(points, to.points);
    return code;
}

int wi__drainer_step(wi__drainer *drainer, wi__points *points, int notes, int is_dead,
                     int *has_more) {
    int64_t count = 0;
    int code = drain_some(drainer, points, notes, is_dead, &count);
    *has_more = code == SQLITE_OK && count == WI__BATCH_POINTS;
    return code;
}

int wi__drainer_run(wi__drainer *drainer, wi__points *points, int notes, int is_dead) {
    int code, has_more;
    do code = wi__drainer_step(drainer, points, notes, is_dead, &has_more);
    while (has_more);
    return code;
}

int wi__drain(sqlite3 *db, int64_t run, wi__points *points, int notes, int is_dead) {
    wi__drainer *drainer = wi__drainer_new(db, run);
    if (!drainer) return SQLITE_NOMEM;
    int code = wi__drainer_run(drainer, points, notes, is_dead);
    wi__drainer_free(drainer);
    return code;
}
