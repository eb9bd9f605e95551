/* Comparing a batch with a server's history. */
#include "cli/push/doubt.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <within/closing.h>
#include <within/interrupts.h>

#include "runs/series_data.h"

/* A page of a history: MLflow gives 25,000 at most. */
#define PAGE "10000"

/* A point of the batch that is looked for, and how often the same is there. */
typedef struct wanted {
    wi__push_batch_point point;
    int64_t before; /* in the run, before the batch's */
    int64_t found;  /* on the server */
} wanted;

typedef struct lookup {
    wanted points[WI__BATCH_POINTS]; /* sorted, each once */
    int count;
} lookup;

/* ---- the order of points ---- */

/* MLflow's databases hold the largest number for an infinity; all NaN are one. */
static double as_stored(double value) {
    if (isnan(value)) return (double)NAN;
    return isinf(value) ? copysign(DBL_MAX, value) : value;
}

static int compare_values(double a, double b) {
    a = as_stored(a);
    b = as_stored(b);
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int compare_points(const void *left, const void *right) {
    const wi__push_batch_point *a = left, *b = right;
    if (a->step != b->step) return a->step < b->step ? -1 : 1;
    if (a->ms != b->ms) return a->ms < b->ms ? -1 : 1;
    return compare_values(a->value, b->value);
}

static wanted *find(lookup *search, const wi__push_batch_point *point) {
    return bsearch(point, search->points, (size_t)search->count, sizeof *search->points,
                   compare_points);
}

static void look_for(lookup *search, const wi__push_batch_point *points, int64_t count) {
    for (int64_t i = 0; i < count; i++) search->points[i] = (wanted){points[i], 0, 0};
    qsort(search->points, (size_t)count, sizeof *search->points, compare_points);
    search->count = 0;
    for (int64_t i = 0; i < count; i++)
        if (i == 0 || compare_points(&search->points[i], &search->points[search->count - 1]) != 0)
            search->points[search->count++] = search->points[i];
}

/* ---- the server's points ---- */

/* Of JSON, where 64 bits may be a text. */
static int64_t integer_of(const json_t *json) {
    return json_is_string(json) ? strtoll(json_string_value(json), NULL, 10)
                                : (int64_t)json_integer_value(json);
}

static double number_of(const json_t *json) {
    return json_is_string(json) ? strtod(json_string_value(json), NULL) : json_number_value(json);
}

static void count_found(lookup *search, json_t *metrics) {
    size_t i;
    json_t *metric;
    json_array_foreach(metrics, i, metric) {
        wi__push_batch_point point = {integer_of(json_object_get(metric, "step")),
                                      integer_of(json_object_get(metric, "timestamp")),
                                      number_of(json_object_get(metric, "value"))};
        wanted *same = find(search, &point);
        if (same) same->found++;
    }
}

static void search_history(lookup *search, wi__server *server, const char *remote,
                           const char *key) {
    char *token = NULL;
    do {
        json_t *query = json_pack("{s:s, s:s, s:s, s:s*}", "run_id", remote, "metric_key", key,
                                  "max_results", PAGE, "page_token", token);
        free(token);
        token = NULL;
        within (page, wi_closing(wi__server_ask(server, "metrics/get-history", query, NULL),
                                 json_decref)) {
            count_found(search, json_object_get(page->handle, "metrics"));
            const char *next = json_string_value(json_object_get(page->handle, "next_page_token"));
            if (next && *next) token = wi_check_null(strdup(next), "a page of a history");
        }
    } while (token);
}

/* ---- the run's own points before those of the batch ---- */

static void count_before(lookup *search, wi_database *db, int64_t series, int64_t before) {
    enum { AT_ONCE = 4096 };
    int64_t steps[AT_ONCE], ms[AT_ONCE], read = 1;
    double values[AT_ONCE];
    for (int64_t at = 0; at < before && read; at += read) {
        int64_t most = before - at < AT_ONCE ? before - at : AT_ONCE;
        wi_poll();
        wi_sqlite_check(db->handle,
                        wi__series_read(db->handle, series, at, most, steps, ms, values, &read),
                        "read points");
        for (int64_t i = 0; i < read; i++) {
            wi__push_batch_point point = {steps[i], ms[i] > 0 ? ms[i] : 0, values[i]};
            wanted *same = find(search, &point);
            if (same) same->before++;
        }
    }
}

/* ---- ranges ---- */

static int is_any_found(const lookup *search) {
    for (int i = 0; i < search->count; i++)
        if (search->points[i].found) return 1;
    return 0;
}

/* Each point that is there takes one of those that were found. */
static int mark(lookup *search, const wi__push_batch_point *points, char *is_there, int64_t count) {
    int missing = 0;
    for (int64_t i = 0; i < count; i++) {
        wanted *same = find(search, &points[i]);
        is_there[i] = (char)(same && same->found > same->before);
        if (is_there[i])
            same->found--;
        else
            missing++;
    }
    return missing;
}

int wi__doubt_settle(wi__server *server, wi_database *db, const char *remote,
                     wi__push_batch *batch) {
    int missing = 0, at = 0;
    lookup *search = wi_check_null(malloc(sizeof *search), "room for a history");
    within (wi_closing(search, free))
        for (int i = 0; i < batch->ranges_count; i++) {
            const wi__marked_range *range = &batch->ranges[i];
            look_for(search, batch->points + at, range->count);
            search_history(search, server, remote, batch->keys[i]);
            if (is_any_found(search)) count_before(search, db, range->series, range->from);
            missing += mark(search, batch->points + at, batch->is_there + at, range->count);
            at += (int)range->count;
        }
    return missing;
}
