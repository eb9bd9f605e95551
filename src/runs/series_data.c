/* The points of a series, read from the database into arrays. */
#include "runs/series_data.h"

#include "runs/chunk.h"

int wi__series_find(sqlite3 *db, int64_t run, const char *name, int64_t *series, int64_t *count) {
    sqlite3_stmt *statement;
    *series = *count = 0;
    int code = sqlite3_prepare_v2(db, "SELECT id, count FROM series WHERE run = ? AND name = ?", -1,
                                  &statement, NULL);
    if (code != SQLITE_OK) return code;
    sqlite3_bind_int64(statement, 1, run);
    code = sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *series = sqlite3_column_int64(statement, 0);
        *count = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What is asked for, and how much of it is there. */
typedef struct reading {
    int64_t position, most, count;
    int64_t *steps, *ms;
    double *values;
} reading;

/* The part of a chunk that is asked for. @return 0 if it does not go on where the last one ended. */
static int take_chunk(reading *r, sqlite3_stmt *row) {
    wi__chunk chunk;
    if (!wi__chunk_of_row(row, 1, &chunk)) return 0;
    int64_t wanted = r->position + r->count, first = sqlite3_column_int64(row, 0);
    if (first > wanted || first < 0 || wanted - first >= chunk.count) return 0;
    int64_t from = wanted - first, count = chunk.count - from;
    if (count > r->most - r->count) count = r->most - r->count;
    wi__chunk_decode(&chunk, from, count, r->steps ? r->steps + r->count : NULL,
                     r->ms ? r->ms + r->count : NULL, r->values ? r->values + r->count : NULL);
    r->count += count;
    return 1;
}

/* The chunk with the first point is the last that begins at or before it. */
static const char chunks_from[] =
    "SELECT position, count, step_base, step_stride, steps, ms_base, ms_stride, ms, points"
    " FROM chunk WHERE series = ?1 AND position >="
    " (SELECT max(position) FROM chunk WHERE series = ?1 AND position <= ?2) ORDER BY position";

int wi__series_read(sqlite3 *db, int64_t series, int64_t position, int64_t most, int64_t *steps,
                    int64_t *ms, double *values, int64_t *read) {
    reading r = {position, most, 0, steps, ms, values};
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, chunks_from, -1, &statement, NULL);
    *read = 0;
    if (code != SQLITE_OK) return code;
    sqlite3_bind_int64(statement, 1, series);
    sqlite3_bind_int64(statement, 2, position);
    while (r.count < most && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        int is_behind_the_end =
            !r.count &&
            sqlite3_column_int64(statement, 0) + sqlite3_column_int64(statement, 1) <= position;
        if (is_behind_the_end) continue;
        if (!take_chunk(&r, statement)) code = SQLITE_CORRUPT;
        if (code == SQLITE_CORRUPT) break;
    }
    sqlite3_finalize(statement);
    *read = r.count;
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}
