/* Points of a journal, put in order by their series and written as chunks. */
#include "runs/drain_points.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/chunk.h"
#include "runs/sql.h"

/* What is known of a series, by its number in the run. */
typedef struct known_series {
    int64_t row;   /* 0: not known */
    int64_t count; /* points in the database */
    int64_t here;  /* how many of its points are in the batch */
    int64_t first; /* where they begin in the columns */
} known_series;

struct wi__batch {
    sqlite3 *db;
    int64_t run;
    sqlite3_stmt *find, *make, *add_chunk, *update;
    known_series *series;
    size_t series_room;
    uint32_t *touched; /* numbers of the series that have points in the batch */
    size_t touched_count, touched_room;
    wi__point *points;
    int64_t points_room;
    int64_t *steps, *ms; /* columns: the batch by series */
    double *values;
    int64_t column_room;
    wi__chunk_room room;
};

wi__batch *wi__batch_new(sqlite3 *db, int64_t run) {
    wi__batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->db = db;
    batch->run = run;
    return batch;
}

void wi__batch_free(wi__batch *batch) {
    if (!batch) return;
    sqlite3_finalize(batch->find);
    sqlite3_finalize(batch->make);
    sqlite3_finalize(batch->add_chunk);
    sqlite3_finalize(batch->update);
    free(batch->series);
    free(batch->touched);
    free(batch->points);
    free(batch->steps);
    free(batch->ms);
    free(batch->values);
    free(batch);
}

wi__point *wi__batch_points(wi__batch *batch, int64_t room) {
    if (room <= batch->points_room) return batch->points;
    wi__point *points = realloc(batch->points, sizeof *points * (size_t)room);
    if (!points) return NULL;
    batch->points = points;
    batch->points_room = room;
    return points;
}

/* ---- sorting ---- */

static int know(wi__batch *batch, uint32_t number) {
    size_t room = batch->series_room ? batch->series_room : 64;
    if (number < batch->series_room) return 1;
    while (room <= number) room *= 2;
    known_series *series = realloc(batch->series, room * sizeof *series);
    if (!series) return 0;
    memset(series + batch->series_room, 0, (room - batch->series_room) * sizeof *series);
    batch->series = series;
    batch->series_room = room;
    return 1;
}

static int touch(wi__batch *batch, uint32_t number) {
    if (batch->touched_count == batch->touched_room) {
        size_t room = batch->touched_room ? 2 * batch->touched_room : 64;
        uint32_t *touched = realloc(batch->touched, room * sizeof *touched);
        if (!touched) return 0;
        batch->touched = touched;
        batch->touched_room = room;
    }
    batch->touched[batch->touched_count++] = number;
    return 1;
}

static int count_series(wi__batch *batch, int64_t count) {
    for (size_t i = 0; i < batch->touched_count; i++) batch->series[batch->touched[i]].here = 0;
    batch->touched_count = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t number = batch->points[i].series;
        if (!know(batch, number)) return SQLITE_NOMEM;
        if (!batch->series[number].here && !touch(batch, number)) return SQLITE_NOMEM;
        batch->series[number].here++;
    }
    return SQLITE_OK;
}

/* As many as there are points, and what was in them is used no more. */
static int make_columns(wi__batch *batch) {
    size_t room = (size_t)batch->points_room;
    if (batch->column_room == batch->points_room) return 1;
    free(batch->steps);
    free(batch->ms);
    free(batch->values);
    batch->steps = malloc(sizeof *batch->steps * room);
    batch->ms = malloc(sizeof *batch->ms * room);
    batch->values = malloc(sizeof *batch->values * room);
    int are_there = batch->steps && batch->ms && batch->values;
    batch->column_room = are_there ? batch->points_room : 0;
    return are_there;
}

/* A counting sort, which keeps the order within a series. */
int wi__batch_sort(wi__batch *batch, int64_t count) {
    int code = make_columns(batch) ? count_series(batch, count) : SQLITE_NOMEM;
    if (code != SQLITE_OK) return code;
    int64_t first = 0;
    for (size_t i = 0; i < batch->touched_count; i++) {
        known_series *series = &batch->series[batch->touched[i]];
        series->first = first;
        first += series->here;
        series->here = 0;
    }
    for (int64_t i = 0; i < count; i++) {
        known_series *series = &batch->series[batch->points[i].series];
        int64_t to = series->first + series->here++;
        batch->steps[to] = batch->points[i].step;
        batch->ms[to] = batch->points[i].ms;
        batch->values[to] = batch->points[i].value;
    }
    return SQLITE_OK;
}

/* ---- writing ---- */

static int prepare(wi__batch *batch, sqlite3_stmt **statement, const char *sql) {
    if (*statement) return SQLITE_OK;
    return sqlite3_prepare_v3(batch->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int prepare_all(wi__batch *batch) {
    int code =
        prepare(batch, &batch->find, "SELECT id, count FROM series WHERE run = ? AND number = ?");
    if (code == SQLITE_OK)
        code =
            prepare(batch, &batch->make, "INSERT INTO series (run, number, name) VALUES (?, ?, ?)");
    if (code == SQLITE_OK) code = prepare(batch, &batch->add_chunk, wi__chunk_insert);
    if (code == SQLITE_OK)
        code = prepare(batch, &batch->update,
                       "UPDATE series SET count = ?2, last_step = ?3, last_ms = ?4, last = ?5,"
                       " least = CASE WHEN least IS NULL OR ?6 < least THEN ?6 ELSE least END,"
                       " most = CASE WHEN most IS NULL OR ?7 > most THEN ?7 ELSE most END"
                       " WHERE id = ?1");
    return code;
}

static int look_up(wi__batch *batch, uint32_t number) {
    sqlite3_bind_int64(batch->find, 1, batch->run);
    sqlite3_bind_int64(batch->find, 2, number);
    int code = sqlite3_step(batch->find);
    if (code == SQLITE_ROW) {
        batch->series[number].row = sqlite3_column_int64(batch->find, 0);
        batch->series[number].count = sqlite3_column_int64(batch->find, 1);
    }
    sqlite3_reset(batch->find);
    return code;
}

static int make_nameless(wi__batch *batch, uint32_t number) {
    char name[64];
    snprintf(name, sizeof name, "(metric %u, whose name is lost)", number);
    sqlite3_bind_int64(batch->make, 1, batch->run);
    sqlite3_bind_int64(batch->make, 2, number);
    sqlite3_bind_text(batch->make, 3, name, -1, SQLITE_TRANSIENT);
    return wi__sql_finish(batch->make);
}

static int find_series(wi__batch *batch, uint32_t number) {
    if (batch->series[number].row) return SQLITE_OK;
    int code = look_up(batch, number);
    if (code == SQLITE_DONE) {
        code = make_nameless(batch, number);
        if (code == SQLITE_OK) code = look_up(batch, number);
    }
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int write_series(wi__batch *batch, const known_series *series) {
    return wi__chunks_write(batch->add_chunk, series->row, series->count,
                            batch->steps + series->first, batch->ms + series->first,
                            batch->values + series->first, series->here, &batch->room);
}

/* The least and the most that is a number; NaN, which SQLite takes as NULL, if none is. */
static void range_of(const double *values, int64_t count, double *least, double *most) {
    *least = *most = (double)NAN;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(values[i])) continue;
        if (!isgreaterequal(values[i], *least)) *least = values[i];
        if (!islessequal(values[i], *most)) *most = values[i];
    }
}

static int update_series(wi__batch *batch, const known_series *series) {
    int64_t last = series->first + series->here - 1;
    double least, most;
    range_of(batch->values + series->first, series->here, &least, &most);
    sqlite3_bind_int64(batch->update, 1, series->row);
    sqlite3_bind_int64(batch->update, 2, series->count + series->here);
    sqlite3_bind_int64(batch->update, 3, batch->steps[last]);
    sqlite3_bind_int64(batch->update, 4, batch->ms[last]);
    sqlite3_bind_double(batch->update, 5, batch->values[last]);
    sqlite3_bind_double(batch->update, 6, least);
    sqlite3_bind_double(batch->update, 7, most);
    return wi__sql_finish(batch->update);
}

int wi__batch_write(wi__batch *batch) {
    int code = prepare_all(batch);
    for (size_t i = 0; i < batch->touched_count && code == SQLITE_OK; i++) {
        known_series *series = &batch->series[batch->touched[i]];
        code = find_series(batch, batch->touched[i]);
        if (code == SQLITE_OK) code = write_series(batch, series);
        if (code == SQLITE_OK) code = update_series(batch, series);
        series->count += series->here;
    }
    return code;
}

void wi__batch_forget(wi__batch *batch) {
    for (size_t i = 0; i < batch->series_room; i++) batch->series[i].row = 0;
}
