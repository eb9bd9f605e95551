/*
 * What a series of levels says: does it grow for good, how fast, and when is the wall reached.
 *
 * One look finds growth if 12 minima in a row rise, and the later ones do not rise markedly less: caches that fill,
 * running maxima and warm-up rise ever more slowly, sawtooths fall, random walks do both. Since many looks see
 * more chances than one, growth is told when several looks in a row, each at twice the age of the one before, have
 * found it, and what turns out to level off or to go back is withdrawn. After a withdrawal more looks are asked for.
 */
#ifndef WITHIN_MANAGE_LEAK_JUDGE_H
#define WITHIN_MANAGE_LEAK_JUDGE_H

#include "manage/leak_series.h"

typedef struct wi__leak_growth {
    double per_call, per_s; /* least-squares lines through the minima */
    double own_per_call;    /* of it, what happened inside the calls */
    uint64_t since_call;    /* the first call of the windows that rise */
    int64_t level;          /* the last sample's, but on the line */
    uint64_t call;          /* the last sample's */
} wi__leak_growth;

/** One look at a series whose windows are all full. @return 1 if it grows by at least `least`, with the figures. */
int wi__leak_look(const wi__leak_series *series, int64_t least, wi__leak_growth *growth);

typedef enum wi__leak_news {
    WI__LEAK_NO_NEWS,
    WI__LEAK_TOLD,      /* sure from now on */
    WI__LEAK_STANDS,    /* it was told before, and there are newer figures */
    WI__LEAK_WITHDRAWN, /* it was told before, and is not true any more */
} wi__leak_news;

/**
 * Add a sample, and look if it is time to.
 *
 * @param looks  how many in a row make it sure: 2 of what is counted, 3 of bytes.
 */
wi__leak_news wi__leak_judge(wi__leak_series *series, const wi__leak_sample *sample, int64_t least,
                             uint32_t looks, wi__leak_growth *growth);

/** Take back what was just told: it is to be found once more, at the next look. */
void wi__leak_wait(wi__leak_series *series);
/** It is known not to be true: as if it was withdrawn. */
void wi__leak_refute(wi__leak_series *series);

/** Calls until a limit is reached; NaN if it never is. */
double wi__leak_calls_left(const wi__leak_growth *growth, int64_t limit);
/** The same in seconds. */
double wi__leak_seconds_left(const wi__leak_growth *growth, int64_t limit);

#endif
