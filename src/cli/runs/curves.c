/* Curves, and their traces. */
#include "cli/runs/curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <within/error.h>

#include "cli/runs/points.h"

/* ---- reading ---- */

typedef struct reading {
    wi__curve *curve;
    wi__over over;
    int64_t started_ms;
} reading;

static void make_room(wi__curve *curve, size_t needed) {
    if (needed <= curve->room) return;
    size_t room = needed > 2 * curve->room ? needed : 2 * curve->room;
    curve->x = wi_check_null(realloc(curve->x, room * sizeof *curve->x), "draw");
    curve->y = wi_check_null(realloc(curve->y, room * sizeof *curve->y), "draw");
    curve->room = room;
}

static void take_points(void *arg, int64_t count, const int64_t *steps, const int64_t *ms,
                        const double *values) {
    reading *to = arg;
    wi__curve *curve = to->curve;
    make_room(curve, curve->count + (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        curve->x[curve->count] =
            to->over == WI__OVER_STEP ? (double)steps[i] : 1e-3 * (double)(ms[i] - to->started_ms);
        curve->y[curve->count++] = values[i];
    }
}

int wi__curves_add(wi__curves *curves, sqlite3 *db, int64_t run, int64_t started_ms,
                   const char *metric, wi__over over, char *label) {
    reading to = {&curves->curves[curves->count], over, started_ms};
    int there = 0;
    if (curves->count < WI__CURVES) {
        *to.curve = (wi__curve){.label = label};
        there = wi__each_points(db, run, metric, take_points, &to);
    }
    if (there)
        curves->count++;
    else
        free(label);
    return there;
}

void wi__curves_release(wi__curves *curves) {
    for (size_t i = 0; i < curves->count; i++) {
        free(curves->curves[i].label);
        free(curves->curves[i].x);
        free(curves->curves[i].y);
    }
    curves->count = 0;
}

/* ---- ranges ---- */

static int can_stand(double value, int on_log) { return isfinite(value) && (!on_log || value > 0); }

static void widen(double range[2], double value) {
    if (value < range[0]) range[0] = value;
    if (value > range[1]) range[1] = value;
}

int wi__curves_range(const wi__curves *curves, int log_x, int log_y, double x[2], double y[2]) {
    x[0] = y[0] = INFINITY;
    x[1] = y[1] = -INFINITY;
    for (size_t c = 0; c < curves->count; c++) {
        const wi__curve *curve = &curves->curves[c];
        for (size_t i = 0; i < curve->count; i++) {
            if (!can_stand(curve->x[i], log_x) || !can_stand(curve->y[i], log_y)) continue;
            widen(x, curve->x[i]);
            widen(y, curve->y[i]);
        }
    }
    return x[0] <= x[1];
}

/* ---- traces ---- */

typedef struct tracing {
    wi__dot *dots;
    size_t count, room;
    /* of the column that is being gone through */
    int column; /* -1: none */
    wi__dot first, last, least, most;
    int least_is_first; /* which of the two came first */
} tracing;

static void add_dot(tracing *trace, wi__dot dot) {
    const wi__dot *before = trace->count ? &trace->dots[trace->count - 1] : NULL;
    if (before && before->x == dot.x && before->y == dot.y) return;
    if (trace->count == trace->room) {
        trace->room = trace->room ? 2 * trace->room : 1024;
        trace->dots =
            wi_check_null(realloc(trace->dots, trace->room * sizeof *trace->dots), "draw");
    }
    trace->dots[trace->count++] = dot;
}

static void end_column(tracing *trace) {
    if (trace->column < 0) return;
    add_dot(trace, trace->first);
    add_dot(trace, trace->least_is_first ? trace->least : trace->most);
    add_dot(trace, trace->least_is_first ? trace->most : trace->least);
    add_dot(trace, trace->last);
    trace->column = -1;
}

static void break_line(tracing *trace) {
    end_column(trace);
    if (trace->count && !isnan(trace->dots[trace->count - 1].x))
        add_dot(trace, (wi__dot){NAN, NAN});
}

static void take_dot(tracing *trace, wi__dot dot, int column) {
    if (column != trace->column) {
        end_column(trace);
        trace->column = column;
        trace->first = trace->last = trace->least = trace->most = dot;
        return;
    }
    trace->last = dot;
    if (dot.y < trace->least.y) {
        trace->least = dot;
        trace->least_is_first = 0;
    }
    if (dot.y > trace->most.y) {
        trace->most = dot;
        trace->least_is_first = 1;
    }
}

wi__dot *wi__curve_trace(const wi__curve *curve, const wi__axis *x, const wi__axis *y, int columns,
                         size_t *count) {
    tracing trace = {.column = -1};
    for (size_t i = 0; i < curve->count; i++) {
        if (!can_stand(curve->x[i], x->is_log) || !can_stand(curve->y[i], y->is_log)) {
            break_line(&trace);
            continue;
        }
        wi__dot dot = {wi__axis_place(x, curve->x[i]), wi__axis_place(y, curve->y[i])};
        take_dot(&trace, dot, (int)(dot.x * columns));
    }
    end_column(&trace);
    *count = trace.count;
    return trace.dots;
}
