/*
 * The kernel's peak of resident memory, shared by blocks that overlap.
 *
 * There is one for the process. At every boundary it is folded into all that are open, then reset: what the next
 * reading shows was since then.
 */
#ifndef WITHIN_MANAGE_PEAK_H
#define WITHIN_MANAGE_PEAK_H

#include <stdint.h>

#include <within/memory.h>

/** Resident memory and its peak, in bytes. */
typedef struct wi__resident_peak {
    int64_t resident, peak;
} wi__resident_peak;

/** Both from the text of /proc/self/status; WI__ABSENT where they are not there. */
wi__resident_peak wi__resident_in(const char *status);

/** Begin: the block counts from here on. @return resident memory now, or WI__ABSENT. */
int64_t wi__peak_open(wi_memory *memory);
/** End: its `highest` and `peak_is_exact` are final. @return resident memory now, or WI__ABSENT. */
int64_t wi__peak_close(wi_memory *memory);

#endif
