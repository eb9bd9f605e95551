/* Choosing a clock, and relating its ticks to time. */
#include "record/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

uint32_t wi__clock_chosen = WI__CLOCK_MONOTONIC;

#if defined(__x86_64__)
static int counter_is_invariant(void) {
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

static int kernel_trusts_counter(void) {
    char name[16] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
    if (!file) return 0;
    int known = fgets(name, sizeof name, file) && strncmp(name, "tsc", 3) == 0;
    fclose(file);
    return known;
}

static uint32_t best_clock(const char *wish) {
    if (!counter_is_invariant()) return WI__CLOCK_MONOTONIC;
    if (wish && strcmp(wish, "tsc") == 0) return WI__CLOCK_TSC;
    if (wish && strcmp(wish, "fenced") == 0) return WI__CLOCK_TSC_FENCED;
    return kernel_trusts_counter() ? WI__CLOCK_TSC : WI__CLOCK_MONOTONIC;
}
#elif defined(__aarch64__)
static uint32_t best_clock(const char *wish) {
    (void)wish;
    return WI__CLOCK_CNTVCT; /* the architecture promises a constant rate */
}
#else
static uint32_t best_clock(const char *wish) {
    (void)wish;
    return WI__CLOCK_MONOTONIC;
}
#endif

void wi__clock_choose(void) {
    const char *wish = getenv("WITHIN_CLOCK");
    int plain = wish && strcmp(wish, "monotonic") == 0;
    __atomic_store_n(&wi__clock_chosen, plain ? WI__CLOCK_MONOTONIC : best_clock(wish),
                     __ATOMIC_RELAXED);
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t read_clock(uint32_t clock) {
    switch (clock) {
#if defined(__x86_64__)
    case WI__CLOCK_TSC: return wi__clock_counter();
    case WI__CLOCK_TSC_FENCED: {
        _mm_lfence();
        uint64_t ticks = wi__clock_counter();
        _mm_lfence();
        return ticks;
    }
#elif defined(__aarch64__)
    case WI__CLOCK_CNTVCT: return wi__clock_counter();
#endif
    default: return nanoseconds(CLOCK_MONOTONIC);
    }
}

uint64_t wi__clock_read(void) { return read_clock(wi__clock_in_use()); }

wi__anchor wi__clock_anchor_of(uint32_t clock) {
    enum { TRIES = 50 };
    wi__anchor best = {0, 0, nanoseconds(CLOCK_REALTIME)};
    uint64_t narrowest = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = read_clock(clock), now = nanoseconds(CLOCK_MONOTONIC_RAW);
        uint64_t width = read_clock(clock) - before;
        if (width >= narrowest) continue;
        narrowest = width;
        best.ticks = before + width / 2;
        best.monotonic_ns = now;
    }
    return best;
}

wi__anchor wi__clock_anchor(void) { return wi__clock_anchor_of(wi__clock_in_use()); }

uint64_t wi__clock_step(void) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 16; i++) {
        uint64_t begin = wi__ticks(), now = begin;
        while (now == begin) now = wi__ticks();
        if (now - begin < least) least = now - begin;
    }
    return least;
}
