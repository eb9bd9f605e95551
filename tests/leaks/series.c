/* The kinds of series. */
#include "series.h"

#include <math.h>

/* splitmix64, Steele, Lea and Flood 2014. */
static double uniform(series *s) {
    uint64_t z = s->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double normal(series *s) {
    return sqrt(-2 * log(1 - uniform(s))) * cos(6.283185307179586 * uniform(s));
}

static double calls(const series *s) { return (double)s->call; }

/* ---- leaks ---- */

static double steady(series *s) { return s->scale * calls(s); }

static double noisy(series *s) { return s->scale * calls(s) + 20 * s->scale * fabs(normal(s)); }

static double some_calls(series *s) {
    s->level += uniform(s) < 0.3 ? s->scale : 0;
    return s->level;
}

/* Every k-th, k from 2 to 400. */
static double every_kth(series *s) {
    return floor(calls(s) / ceil(2 + 398 * s->rate * s->rate)) * s->scale;
}

static double after_warm_up(series *s) {
    return 100 * s->scale * (1 - exp(-calls(s) / 10)) + s->scale * calls(s);
}

/* On top of garbage that is collected from time to time. */
static double below_garbage(series *s) {
    return s->scale * calls(s) + 30 * s->scale * fmod(calls(s), 10 + floor(90 * s->rate));
}

/* ---- no leaks ---- */

static double constant(series *s) { return s->scale; }

static double noise(series *s) { return 100 * s->scale + 10 * s->scale * normal(s); }

static double warm_up(series *s) {
    double length = 2 + 30 * s->rate;
    return s->scale * (calls(s) < length ? calls(s) : length);
}

/* A quarter full after 5 to 20,000 calls. */
static double filling_cache(series *s) {
    double fullness = 5 * pow(4000, s->rate);
    return 1000 * s->scale * (1 - exp(-calls(s) / (3 * fullness)));
}

/* Keys that come by chance: a cache that is ever more rarely missed. */
static double missed_cache(series *s) {
    double size = 20 * pow(1000, s->rate);
    if (uniform(s) > s->level / size) s->level++;
    return s->level * s->scale;
}

static double running_maximum(series *s) {
    double value = -log(1 - uniform(s));
    if (value > s->extreme) s->extreme = value;
    return 100 * s->scale * s->extreme;
}

static double random_walk(series *s) {
    s->level += normal(s);
    return s->scale * (1000 + s->level);
}

/* Of 3 to 60 calls, and of 60 to 20,000. */
static double short_sawtooth(series *s) {
    return s->scale * fmod(calls(s), 3 + floor(57 * s->rate));
}

static double long_sawtooth(series *s) {
    return s->scale * fmod(calls(s), floor(60 * pow(333, s->rate)));
}

/* Collected when there is enough of it, by chance earlier. */
static double ragged_sawtooth(series *s) {
    s->level = uniform(s) < 1 / (10 + 190 * s->rate) ? 0 : s->level + 1;
    return s->scale * s->level;
}

static double steps(series *s) {
    if (uniform(s) < 0.002) s->level += 50;
    return s->scale * (s->call < 2000 ? s->level : 200);
}

const series_kind kinds[] = {
    {"steady leak", 1, steady},
    {"noisy leak", 1, noisy},
    {"leak in three calls of ten", 1, some_calls},
    {"leak in every k-th call, k up to 400", 1, every_kth},
    {"leak after a warm-up", 1, after_warm_up},
    {"leak below garbage that is collected", 1, below_garbage},
    {"constant", 0, constant},
    {"noise", 0, noise},
    {"warm-up of 2 to 32 calls", 0, warm_up},
    {"cache that fills in 5 to 60,000 calls", 0, filling_cache},
    {"cache that is ever more rarely missed", 0, missed_cache},
    {"running maximum", 0, running_maximum},
    {"random walk", 0, random_walk},
    {"sawtooth of up to 60 calls", 0, short_sawtooth},
    {"sawtooth of 60 to 20,000 calls", 0, long_sawtooth},
    {"ragged sawtooth", 0, ragged_sawtooth},
    {"a few steps", 0, steps},
    {0, 0, 0},
};

series series_begin(uint64_t seed) {
    series s = {.random = seed * 0x2545f4914f6cdd1du + 1};
    s.rate = uniform(&s);
    s.scale = ceil(100 * uniform(&s));
    return s;
}

int64_t series_next(series *s, const series_kind *kind) {
    s->call++;
    return (int64_t)kind->next(s);
}
