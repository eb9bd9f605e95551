/* The points of a metric. */
#include "cli/runs/points.h"

#include <stdlib.h>

#include <within/sqlite.h>

#include "runs/series_data.h"

enum { AT_ONCE = 65536 };

typedef struct room {
    int64_t steps[AT_ONCE], ms[AT_ONCE];
    double values[AT_ONCE];
} room;

static void check(sqlite3 *db, int code, const char *metric) {
    if (code == SQLITE_CORRUPT) wi_raise(WI_DATA_ERROR, "the points of %s are damaged", metric);
    wi_sqlite_check(db, code, "read the points of %s", metric);
}

int wi__each_points(sqlite3 *db, int64_t run, const char *metric, wi__take_points *take,
                    void *arg) {
    int64_t series = 0, count = 0, got = 0;
    check(db, wi__series_find(db, run, metric, &series, &count), metric);
    if (!series) return 0;
    room *points = wi_check_null(malloc(sizeof *points), "read the points of %s", metric);
    int code = SQLITE_OK;
    for (int64_t position = 0; position < count; position += got) {
        code = wi__series_read(db, series, position, AT_ONCE, points->steps, points->ms,
                               points->values, &got);
        if (code != SQLITE_OK || !got) break;
        take(arg, got, points->steps, points->ms, points->values);
    }
    free(points);
    check(db, code, metric);
    return 1;
}
