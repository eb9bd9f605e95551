/* wi_run_metric, wi_series_add: points, whose series is found by its name without a lock. */
#include <stdlib.h>
#include <string.h>

#include "runs/now.h"
#include "runs/open_run.h"

/* ---- new series ---- */

typedef struct making {
    wi__open_run *open;
    const char *name;
    wi_series *made;
} making;

static wi_series *add_series(wi__open_run *open, const char *name, uint32_t number) {
    size_t size = strlen(name) + 1;
    wi_series *series = malloc(sizeof *series + size);
    if (!series) return NULL;
    memcpy(series->name, name, size);
    series->named = wi__named_of(series->name);
    series->open = open;
    series->number = number;
    if (wi__names_add(&open->series, &series->named)) {
        if (number >= open->series_count) open->series_count = number + 1;
        return series;
    }
    free(series);
    return NULL;
}

int wi__open_run_know_series(wi__open_run *open, const char *name, uint32_t number) {
    return add_series(open, name, number) != NULL;
}

/* Its name is noted before it can be found, and so before its first point. */
static void make(void *arg) {
    making *wanted = arg;
    wi__open_run *open = wanted->open;
    wi__named named = wi__named_of(wanted->name);
    wanted->made = wi__names_find(&open->series, &named);
    if (wanted->made) return;
    if (open->series_count >= WI__SERIES_LIMIT)
        wi_raise(WI_VALUE_ERROR, "metric %.80s: the run has %d metrics, and can have no more",
                 wanted->name, WI__SERIES_LIMIT);
    wi__open_run_note(open, WI__NOTE_SERIES, wanted->name, NULL, open->series_count);
    wanted->made = add_series(open, wanted->name, open->series_count);
    if (!wanted->made) {
        open->series_count++;
        wi_raise(WI_MEMORY_ERROR, "metric %.80s: out of memory", wanted->name);
    }
}

static wi_series *make_series(wi__open_run *open, const char *name) {
    if (!*name) wi_raise(WI_VALUE_ERROR, "wi_run_metric: the name is empty");
    making wanted = {open, name, NULL};
    wi_error *error;
    pthread_mutex_lock(&open->lock);
    int is_made = wi_call(make, &wanted, &error);
    pthread_mutex_unlock(&open->lock);
    if (!is_made) wi_reraise(error);
    return wanted.made;
}

/* ---- points ---- */

static wi_series *find_or_make(wi__open_run *open, const char *name) {
    wi__named wanted = wi__named_of(name);
    wi_series *series = wi__names_find(&open->series, &wanted);
    return series ? series : make_series(open, name);
}

static void append(const wi_series *series, int64_t step, double value, int64_t ms) {
    wi__point point = {series->number, step, value, ms};
    int error = wi__points_append(series->open->points, &point);
    if (error) wi_raise_errno(error, "metric %.80s: append a point to the journal", series->name);
}

wi_series *wi_run_series(wi_run *run, const char *name) {
    wi__open_run *open = wi__open_run_of(run, "get a series");
    if (!name) wi_raise(WI_VALUE_ERROR, "wi_run_series: the name is NULL");
    return find_or_make(open, name);
}

void wi_run_metric(wi_run *run, const char *name, int64_t step, double value) {
    wi__open_run *open = wi__open_run_of(run, "log a metric");
    if (!name) wi_raise(WI_VALUE_ERROR, "wi_run_metric: the name is NULL");
    append(find_or_make(open, name), step, value, wi__now_ms());
}

void wi__series_add_at(wi_series *series, int64_t step, double value, int64_t ms) {
    if (series->open->is_inherited) wi__raise_not_open(series->open->run, "add to a series");
    append(series, step, value, ms);
}

void wi_series_add(wi_series *series, int64_t step, double value) {
    wi__series_add_at(series, step, value, wi__now_ms());
}

/* ---- room ---- */

int wi__run_has_room(const wi_run *run, size_t points) {
    return !run->open || wi__points_has_room(run->open->points, points);
}

void wi__run_wait_for_room(wi_run *run, size_t points) {
    wi__open_run *open = wi__open_run_of(run, "log a metric");
    int error = wi__points_make_room(open->points, points);
    if (error) wi_raise_errno(error, "run %s: make room for points in the journal", run->name);
}
