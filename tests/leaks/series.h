/* Made-up levels of a process after each call of a section: leaks of several kinds, and what only looks like one. */
#ifndef WITHIN_TESTS_LEAKS_SERIES_H
#define WITHIN_TESTS_LEAKS_SERIES_H

#include <stdint.h>

/** The state of one series: its random numbers, and what its kind remembers. */
typedef struct series {
    uint64_t random;
    uint64_t call; /* from 1 */
    double level, extreme;
    double scale, rate; /* drawn once for each series, each from a range of factors */
    double shape;
} series;

typedef struct series_kind {
    const char *name;
    int is_leak;
    double (*next)(series *s); /* the level after the next call */
} series_kind;

extern const series_kind kinds[];

/** A series of its own for each seed. */
series series_begin(uint64_t seed);
/** The level after the next call. */
int64_t series_next(series *s, const series_kind *kind);

#endif
