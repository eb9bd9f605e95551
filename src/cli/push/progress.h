/* How far a push is, on a line of the terminal that is written over and over; nothing if stderr is none. */
#ifndef WITHIN_CLI_PUSH_PROGRESS_H
#define WITHIN_CLI_PUSH_PROGRESS_H

#include <stdint.h>

#include <within/block.h>

typedef struct wi__progress {
    const wi_protocol *protocol;
    const char *name;
    int64_t sent, count; /* points that the server has, and that the run has */
    double shown_s;
    int is_shown;
} wi__progress;

/** A manager: the line is gone when its block ends. */
wi__progress wi__progress_of(const char *name);
/** Show it, at most five times a second. */
void wi__progress_show(wi__progress *progress);

#endif
