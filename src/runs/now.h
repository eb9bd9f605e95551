/* The time of what is logged, and of what is waited for. */
#ifndef WITHIN_RUNS_NOW_H
#define WITHIN_RUNS_NOW_H

#include <stdint.h>
#include <time.h>

/** Milliseconds since 1970, UTC. */
static inline int64_t wi__now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Seconds of a clock that nobody sets, from some moment on. */
static inline double wi__monotonic_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
