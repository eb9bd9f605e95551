/* Merging a run's small chunks into full ones, when it is over. */
#include "runs/compact.h"

#include <stdlib.h>

#include "runs/chunk.h"
#include "runs/series_data.h"
#include "runs/sql.h"

enum {
    PIECE = 64 * WI__CHUNK_POINTS, /* points that are merged at a time, and in one transaction */
    SMALL = WI__CHUNK_POINTS / 4   /* chunks of fewer points cost much room, and time to be read */
};

typedef struct compactor {
    sqlite3 *db;
    sqlite3_stmt *find_small, *last, *remove, *add;
    int64_t *steps, *ms;
    double *values;
    int64_t in_transaction; /* points; -1: none is open */
    wi__chunk_room room;
} compactor;

static void release(compactor *c) {
    sqlite3_finalize(c->find_small);
    sqlite3_finalize(c->last);
    sqlite3_finalize(c->remove);
    sqlite3_finalize(c->add);
    free(c->steps);
    free(c->ms);
    free(c->values);
    free(c);
}

static int set_up(compactor *c) {
    static const char find_small[] =
        "SELECT min(position) FROM chunk WHERE series = ?1 AND position >= ?2 AND count < ?3";
    static const char last[] =
        "SELECT max(position) FROM chunk WHERE series = ?1 AND position <= ?2";
    static const char remove[] =
        "DELETE FROM chunk WHERE series = ?1 AND position >= ?2 AND position < ?3";
    c->steps = malloc(PIECE * sizeof *c->steps);
    c->ms = malloc(PIECE * sizeof *c->ms);
    c->values = malloc(PIECE * sizeof *c->values);
    c->in_transaction = -1;
    if (!c->steps || !c->ms || !c->values) return SQLITE_NOMEM;
    int code = sqlite3_prepare_v2(c->db, find_small, -1, &c->find_small, NULL);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(c->db, last, -1, &c->last, NULL);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(c->db, remove, -1, &c->remove, NULL);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(c->db, wi__chunk_insert, -1, &c->add, NULL);
    return code;
}

/* A number that a statement gives; -1 if it is NULL. */
static int ask(sqlite3_stmt *statement, int64_t *number) {
    int code = sqlite3_step(statement);
    int is_null = code != SQLITE_ROW || sqlite3_column_type(statement, 0) == SQLITE_NULL;
    *number = is_null ? -1 : sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* ---- transactions ---- */

static int begin(compactor *c) {
    if (c->in_transaction >= 0) return SQLITE_OK;
    int code = sqlite3_exec(c->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK) c->in_transaction = 0;
    return code;
}

static int end(compactor *c, int code) {
    if (c->in_transaction < 0) return code;
    c->in_transaction = -1;
    return wi__sql_end(c->db, code);
}

/* ---- merging ---- */

/* How many of the points from `position` on, at most a piece, lie in chunks that end with them. */
static int read_piece(compactor *c, int64_t series, int64_t position, int64_t *count) {
    int64_t next;
    int code = wi__series_read(c->db, series, position, PIECE, c->steps, c->ms, c->values, count);
    if (code != SQLITE_OK || *count < PIECE) return code;
    sqlite3_bind_int64(c->last, 1, series);
    sqlite3_bind_int64(c->last, 2, position + PIECE);
    code = ask(c->last, &next);
    if (code == SQLITE_OK && next > position) *count = next - position;
    return code;
}

/* Replace the chunks from `*position` on by full ones. The place of the old ones is used by the new. */
static int merge_piece(compactor *c, int64_t series, int64_t *position) {
    int64_t count;
    int code = begin(c);
    if (code == SQLITE_OK) code = read_piece(c, series, *position, &count);
    if (code != SQLITE_OK) return code;
    sqlite3_bind_int64(c->remove, 1, series);
    sqlite3_bind_int64(c->remove, 2, *position);
    sqlite3_bind_int64(c->remove, 3, *position + count);
    code = wi__sql_finish(c->remove);
    if (code == SQLITE_OK)
        code = wi__chunks_write(c->add, series, *position, c->steps, c->ms, c->values, count,
                                &c->room);
    *position += count / WI__CHUNK_POINTS * WI__CHUNK_POINTS;
    c->in_transaction += count;
    return code == SQLITE_OK && c->in_transaction >= PIECE ? end(c, code) : code;
}

/* From the first small chunk on that is not the last one. @param[out] position  -1: there is none. */
static int find_small(compactor *c, int64_t series, int64_t from, int64_t *position) {
    int64_t last = -1;
    sqlite3_bind_int64(c->last, 1, series);
    sqlite3_bind_int64(c->last, 2, INT64_MAX);
    int code = ask(c->last, &last);
    sqlite3_bind_int64(c->find_small, 1, series);
    sqlite3_bind_int64(c->find_small, 2, from);
    sqlite3_bind_int64(c->find_small, 3, SMALL);
    if (code == SQLITE_OK) code = ask(c->find_small, position);
    if (*position >= last) *position = -1;
    return code;
}

static int compact_series(compactor *c, int64_t series) {
    int64_t position = 0, before = -1;
    for (;;) {
        int code = find_small(c, series, position, &position);
        if (code != SQLITE_OK || position < 0) return code;
        if (position == before) return SQLITE_CORRUPT; /* no chunk is so long that it stays alone */
        before = position;
        code = merge_piece(c, series, &position);
        if (code != SQLITE_OK) return code;
    }
}

/* ---- which series ---- */

/* Those with so many chunks that some are small. @param[out] series  to be freed. */
static int list_series(sqlite3 *db, int64_t run, int64_t **series, size_t *count) {
    static const char sql[] =
        "SELECT id FROM series WHERE run = ?1 AND"
        " (SELECT count(*) FROM chunk WHERE chunk.series = series.id) > count / ?2 + 1";
    sqlite3_stmt *statement;
    size_t room = 0;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK) return code;
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_int64(statement, 2, SMALL);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == room) {
            room = room ? 2 * room : 64;
            int64_t *more = realloc(*series, room * sizeof *more);
            if (!more) break;
            *series = more;
        }
        (*series)[(*count)++] = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code == SQLITE_ROW ? SQLITE_NOMEM : code;
}

int wi__compact(sqlite3 *db, int64_t run) {
    int64_t *series = NULL;
    size_t count = 0;
    compactor *c = calloc(1, sizeof *c);
    if (!c) return SQLITE_NOMEM;
    c->db = db;
    int code = set_up(c);
    if (code == SQLITE_OK) code = list_series(db, run, &series, &count);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++) code = compact_series(c, series[i]);
    code = end(c, code);
    free(series);
    release(c);
    return code;
}
