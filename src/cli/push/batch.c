/* Filling a batch, and its JSON. */
#include "cli/push/batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/series_data.h"

/* {"key":"","value":-1.7976931348623157e+308,"timestamp":9223372036854775807,"step":-9223372036854775808}, */
enum { POINT_BYTES = 104 };

wi__push_batch *wi__push_batch_new(void) {
    return wi_check_null(calloc(1, sizeof(wi__push_batch)), "room for a request");
}

void wi__push_batch_clear(wi__push_batch *batch) {
    batch->count = batch->ranges_count = 0;
    batch->bytes = 0;
}

/* ---- filling ---- */

static void read_points(wi_database *db, wi__push_batch_point *to, int64_t series, int64_t from,
                        int64_t count) {
    int64_t steps[WI__BATCH_POINTS], ms[WI__BATCH_POINTS], read;
    double values[WI__BATCH_POINTS];
    wi_sqlite_check(db->handle,
                    wi__series_read(db->handle, series, from, count, steps, ms, values, &read),
                    "read points");
    if (read < count) wi_raise(WI_DATA_ERROR, "%s: points of a series are missing", db->path);
    /* MLflow knows no time before 1970. */
    for (int64_t i = 0; i < count; i++)
        to[i] = (wi__push_batch_point){steps[i], ms[i] > 0 ? ms[i] : 0, values[i]};
}

int64_t wi__push_batch_add(wi_database *db, wi__push_batch *batch, int64_t series, const char *key,
                           int64_t from, int64_t count) {
    size_t each = POINT_BYTES + strlen(key);
    int64_t most = WI__BATCH_POINTS - batch->count;
    int64_t most_by_size = (int64_t)((WI__BATCH_BYTES - batch->bytes) / each);
    if (most > most_by_size) most = most_by_size;
    if (count > most) count = most;
    if (count <= 0) return 0;
    read_points(db, batch->points + batch->count, series, from, count);
    memset(batch->is_there + batch->count, 0, (size_t)count);
    batch->ranges[batch->ranges_count] = (wi__marked_range){series, from, count};
    snprintf(batch->keys[batch->ranges_count++], WI__REMOTE_NAME_BYTES, "%s", key);
    batch->count += (int)count;
    batch->bytes += (size_t)count * each;
    return count;
}

/* ---- JSON, which has no NaN and no infinity ---- */

static json_t *value_of(double value) {
    if (isfinite(value)) return json_real(value);
    return json_string(isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

static void add_metric(json_t *metrics, const char *key, const wi__push_batch_point *point) {
    json_array_append_new(
        metrics, json_pack("{s:s, s:o, s:I, s:I}", "key", key, "value", value_of(point->value),
                           "timestamp", (json_int_t)point->ms, "step", (json_int_t)point->step));
}

json_t *wi__push_batch_metrics(const wi__push_batch *batch) {
    json_t *metrics = wi_check_null(json_array(), "points");
    int i = 0;
    for (int range = 0; range < batch->ranges_count; range++)
        for (int64_t left = batch->ranges[range].count; left > 0; left--, i++)
            if (!batch->is_there[i]) add_metric(metrics, batch->keys[range], &batch->points[i]);
    return metrics;
}
