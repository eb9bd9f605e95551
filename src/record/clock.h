/*
 * The clock that sections use: the processor's counter where the kernel itself trusts it, else
 * CLOCK_MONOTONIC. Ticks become seconds only when they are read, from two anchors.
 *
 * WITHIN_CLOCK=tsc|fenced|monotonic in the environment chooses. Fenced reads wait for the instructions
 * before them: sharper edges for sections of some tens of nanoseconds, at three times the cost.
 */
#ifndef WITHIN_RECORD_CLOCK_H
#define WITHIN_RECORD_CLOCK_H

#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <within/macros.h>

#include "record/format.h"

/* WI__CLOCK_MONOTONIC until wi__clock_choose. */
extern uint32_t wi__clock_chosen __attribute__((visibility("hidden")));

/** Find out which clock can be trusted. Call once, before the first tick is stored. */
void wi__clock_choose(void);
/** Read the clock where reading is not one plain instruction. */
uint64_t wi__clock_read(void);
/** Now, in all clocks at once: the tightest of 50 tries. */
wi__anchor wi__clock_anchor(void);
/** The same for another process's clock. */
wi__anchor wi__clock_anchor_of(uint32_t clock);
/** The smallest step seen between two reads, in ticks. */
uint64_t wi__clock_step(void);

/* The clock in use. Another thread may be choosing it in that moment. */
WI__INLINE uint32_t wi__clock_in_use(void) {
    return __atomic_load_n(&wi__clock_chosen, __ATOMIC_RELAXED);
}

/* Is the clock in use one that a plain instruction reads: wi__clock_counter? */
WI__INLINE int wi__clock_is_counter(void) {
#if defined(__x86_64__)
    return WI__LIKELY(wi__clock_in_use() == WI__CLOCK_TSC);
#elif defined(__aarch64__)
    return WI__LIKELY(wi__clock_in_use() == WI__CLOCK_CNTVCT);
#else
    return 0;
#endif
}

WI__INLINE uint64_t wi__clock_counter(void) {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

WI__INLINE uint64_t wi__ticks(void) {
    return wi__clock_is_counter() ? wi__clock_counter() : wi__clock_read();
}

#endif
