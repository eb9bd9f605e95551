/* Looking at minima, and remembering what earlier looks found. */
#include "manage/leak_judge.h"

#include <math.h>
#include <string.h>

enum { FIRST = WI__LEAK_DROPPED, LAST = WI__LEAK_WINDOWS - 1, HALF = (LAST - FIRST) / 2 };

static int64_t rise(const wi__leak_series *series, int from, int to) {
    return series->windows[to].minimum - series->windows[from].minimum;
}

/* A call: where looks cost less than before they are closer together. */
static double rate(const wi__leak_series *series, int from, int to) {
    uint64_t calls = series->windows[to].call - series->windows[from].call;
    return calls ? (double)rise(series, from, to) / (double)calls : 0;
}

static double early_rate(const wi__leak_series *series) {
    return rate(series, FIRST, FIRST + HALF);
}
static double late_rate(const wi__leak_series *series) { return rate(series, LAST - HALF, LAST); }

static int rises_all_along(const wi__leak_series *series) {
    for (int i = FIRST; i < LAST; i++)
        if (rise(series, i, i + 1) <= 0) return 0;
    return 1;
}

/* The later half has to rise by two thirds of what the earlier one did. */
static int goes_on(const wi__leak_series *series) {
    return 3 * late_rate(series) >= 2 * early_rate(series);
}

static int levels_off(const wi__leak_series *series) {
    return 4 * late_rate(series) < early_rate(series) || late_rate(series) <= 0;
}

/* ---- figures ---- */

static double call_of(const wi__leak_window *window) { return (double)window->call; }
static double time_of(const wi__leak_window *window) { return window->time_s; }

/* Slope of the least-squares line through the minima, against one of the two. */
static double slope(const wi__leak_series *series, double (*against)(const wi__leak_window *)) {
    double x = 0, y = 0, xy = 0, xx = 0, count = LAST - FIRST + 1;
    for (int i = FIRST; i <= LAST; i++) {
        x += against(&series->windows[i]) / count;
        y += (double)series->windows[i].minimum / count;
    }
    for (int i = FIRST; i <= LAST; i++) {
        double dx = against(&series->windows[i]) - x;
        xy += dx * ((double)series->windows[i].minimum - y);
        xx += dx * dx;
    }
    return xx > 0 ? xy / xx : 0;
}

static double own_per_call(const wi__leak_series *series) {
    int64_t own = 0;
    for (int i = FIRST; i <= LAST; i++) own += series->windows[i].own;
    return (double)own / (double)((LAST - FIRST + 1) * series->width);
}

static uint64_t begin_of_rise(const wi__leak_series *series) {
    int first = FIRST;
    while (first > 0 && rise(series, first - 1, first) > 0) first--;
    return series->windows[first].call;
}

int wi__leak_look(const wi__leak_series *series, int64_t least, wi__leak_growth *growth) {
    const wi__leak_window *last = &series->windows[LAST];
    growth->per_call = slope(series, call_of);
    growth->per_s = slope(series, time_of);
    growth->own_per_call = own_per_call(series);
    growth->since_call = begin_of_rise(series);
    growth->call = series->last.call;
    growth->level =
        last->minimum + (int64_t)(growth->per_call * (double)(series->last.call - last->call));
    return rises_all_along(series) && goes_on(series) && rise(series, FIRST, LAST) >= least;
}

/* ---- looks in a row ---- */

static wi__leak_news withdraw(wi__leak_series *series) {
    series->is_told = 0;
    series->looks = 0;
    series->withdrawals++;
    return WI__LEAK_WITHDRAWN;
}

void wi__leak_wait(wi__leak_series *series) { series->is_told = 0; }

void wi__leak_refute(wi__leak_series *series) { withdraw(series); }

static wi__leak_news tell(wi__leak_series *series) {
    series->is_told = 1;
    series->base = series->windows[FIRST].minimum;
    return WI__LEAK_TOLD;
}

wi__leak_news wi__leak_judge(wi__leak_series *series, const wi__leak_sample *sample, int64_t least,
                             uint32_t looks, wi__leak_growth *growth) {
    int is_time = wi__leak_add(series, sample);
    if (series->is_told && sample->level <= series->base) return withdraw(series);
    if (!is_time) return WI__LEAK_NO_NEWS;
    int grows = wi__leak_look(series, least, growth);
    if (series->is_told) return levels_off(series) ? withdraw(series) : WI__LEAK_STANDS;
    series->looks = grows ? series->looks + 1 : 0;
    return series->looks >= looks + 2 * series->withdrawals ? tell(series) : WI__LEAK_NO_NEWS;
}

/* ---- the wall ---- */

static double left(const wi__leak_growth *growth, int64_t limit, double rate) {
    if (!(rate > 0)) return NAN;
    double room = (double)limit - (double)growth->level;
    return room > 0 ? room / rate : 0;
}

double wi__leak_calls_left(const wi__leak_growth *growth, int64_t limit) {
    return left(growth, limit, growth->per_call);
}

double wi__leak_seconds_left(const wi__leak_growth *growth, int64_t limit) {
    return left(growth, limit, growth->per_s);
}
