#include "runs/recover.h"
#include "runs/series_data.h"
#include <math.h>
#include <string.h>
int wi__runs_recover(sqlite3 *db, const char *path) {
    (void)db;
    (void)path;
    return 0;
}
static uint64_t big(const unsigned char *p, int w) {
    uint64_t v = 0;
    while (w--) v = v << 8 | *p++;
    return v;
}
int wi__series_read(sqlite3 *db, int64_t series, int64_t position, int64_t most, int64_t *steps,
                    int64_t *ms, double *values, int64_t *read) {
    sqlite3_stmt *s;
    *read = 0;
    int code = sqlite3_prepare_v2(
        db,
        "SELECT position,count,step_base,step_stride,steps,ms_base,ms_stride,ms,points FROM chunk "
        "WHERE series=? AND position+count>? ORDER BY position",
        -1, &s, 0);
    if (code) return code;
    sqlite3_bind_int64(s, 1, series);
    sqlite3_bind_int64(s, 2, position);
    while (*read < most && sqlite3_step(s) == SQLITE_ROW) {
        int64_t p = sqlite3_column_int64(s, 0), n = sqlite3_column_int64(s, 1);
        for (int64_t i = position + *read - p; i < n && *read < most; i++, ++*read) {
            int w = (int)(sqlite3_column_bytes(s, 4) / n),
                v = (int)(sqlite3_column_bytes(s, 7) / n),
                x = (int)(sqlite3_column_bytes(s, 8) / n);
            steps[*read] =
                sqlite3_column_int64(s, 2) + i * sqlite3_column_int64(s, 3) +
                (int64_t)big((const unsigned char *)sqlite3_column_blob(s, 4) + i * w, w);
            ms[*read] = sqlite3_column_int64(s, 5) + i * sqlite3_column_int64(s, 6) +
                        (int64_t)big((const unsigned char *)sqlite3_column_blob(s, 7) + i * v, v);
            uint64_t b = big((const unsigned char *)sqlite3_column_blob(s, 8) + i * x, x);
            if (x == 8)
                memcpy(&values[*read], &b, 8);
            else {
                uint32_t c = (uint32_t)b;
                float f;
                memcpy(&f, &c, 4);
                values[*read] = f;
            }
        }
    }
    sqlite3_finalize(s);
    return 0;
}
