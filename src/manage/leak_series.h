/*
 * A series of levels, one after each call of a section, kept in 16 windows however long it gets: of each window the least
 * level. When all are full, neighbours are joined and windows are twice as wide from then on.
 *
 * The least is what stays when everything that comes and goes has gone: buffers, garbage that is not collected yet.
 */
#ifndef WITHIN_MANAGE_LEAK_SERIES_H
#define WITHIN_MANAGE_LEAK_SERIES_H

#include <stdint.h>

enum {
    WI__LEAK_WINDOWS = 16,
    WI__LEAK_DROPPED = 4, /* of the first: warm-up */
    WI__LEAK_FIRST_WIDTH = 2,
};

/** After a call: the level, and by how much the call itself had changed it. */
typedef struct wi__leak_sample {
    int64_t level, own;
    uint64_t call; /* the number of the call, from 1 */
    double time_s; /* any clock */
} wi__leak_sample;

typedef struct wi__leak_window {
    int64_t minimum;
    int64_t own; /* the sum */
    uint64_t call;
    double time_s; /* both of its first sample */
} wi__leak_window;

/** All zero is an empty one. */
typedef struct wi__leak_series {
    wi__leak_window windows[WI__LEAK_WINDOWS];
    wi__leak_sample last;
    uint64_t width;   /* samples in a window; 0 before the first */
    uint64_t in_last; /* samples in the window that is being filled */
    uint32_t begun;   /* windows */
    uint32_t looks;   /* so many in a row found growth */
    uint32_t withdrawals;
    uint32_t is_told; /* its growth was found to be true, and has not been withdrawn */
    int64_t base;     /* the least level when it was told: below it nothing is left of the growth */
} wi__leak_series;

/** Add a sample. O(1). @return 1 if all windows are full now: the time for a look. */
int wi__leak_add(wi__leak_series *series, const wi__leak_sample *sample);

#endif
