/* A verdict in words: how fast it grows, since when, and when the wall is reached. */
#ifndef WITHIN_MANAGE_LEAK_TEXT_H
#define WITHIN_MANAGE_LEAK_TEXT_H

#include <stddef.h>

#include "manage/counters.h"
#include "manage/leak_judge.h"

typedef struct wi__number_text {
    char text[48];
} wi__number_text;

/** "12,345": with commas between thousands. */
wi__number_text wi__whole_text(double value);
/** "8.4 MB": in powers of 1,000. */
wi__number_text wi__memory_text(double value);

/**
 * "+3.0 descriptors a call since call 40; limit 1,024 reached in about 5 h 10 min (call 310)".
 *
 * @param limit  WI__ABSENT: nothing is said of it.
 */
void wi__leak_text(char *text, size_t size, const wi__counter *counter,
                   const wi__leak_growth *growth, int64_t limit);

/** "40 s", "12 min", "5 h 10 min", "3 days"; "" for more than 10,000 days, and for NaN. */
void wi__duration_text(char *text, size_t size, double seconds);

#endif
