/*
 * Host memory of a block: what it left behind, and the most that it held.
 *
 *     wi_memory step = wi_memory("step");
 *     within (&step) { relax(grid); }         prints  [step] Memory: delta=+128.5MB, current=578.7MB, peak=612.3MB
 *     printf("%g bytes\n", step.peak);
 *
 * It is resident memory of the whole process, all threads included, in units of 10^6 bytes.
 */
#ifndef WITHIN_MEMORY_H
#define WITHIN_MEMORY_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include <within/block.h>

WI__BEGIN_DECLS

typedef struct wi_memory_options {
    FILE *stream; /* where to print; NULL for stderr */
    int quiet;    /* nonzero: print nothing */
} wi_memory_options;

typedef struct wi_memory {
    const wi_protocol *protocol;
    const char *label; /* may be NULL or empty: then the line has no prefix */
    wi_memory_options options;
    double before;     /* bytes, on entering; these four are NaN where they cannot be known */
    double current;    /* bytes, on leaving */
    double delta;      /* current - before */
    double peak;       /* bytes: the most in the block */
    int peak_is_exact; /* 0: the system did not let the peak be reset; it may have been more */
    int is_open;
    int64_t highest,
        known; /* bytes: the peak folded so far, and the process's when the block began */
    pthread_t thread;
    struct wi_memory *next;
} wi_memory;

/**
 * Tell how a block changed the process's resident memory: wi_memory("label") or wi_memory("label", .quiet = 1).
 *
 * Blocks nest and overlap as they like, on any threads: each has its own true peak. For that the kernel's peak
 * (VmHWM) is folded into every open block, and reset, wherever a block begins or ends: VmHWM and ru_maxrss tell the
 * program less than before from then on. A program that resets it itself hides peaks from open blocks.
 *
 * @param label  borrowed until the block ends.
 * @raise WI_USAGE_ERROR on enter if it is open already.
 *
 * Threads: any. Cost: some 6 us a block, two reads of /proc/self/status and a write to clear_refs; the kernel keeps the
 * peak itself. Exactness: that of VmHWM, which Linux keeps to about 64 pages for each processor, exactly since 6.17.
 */
#define wi_memory(...) WI__MEMORY(__VA_ARGS__, )
#define WI__MEMORY(label, ...)                                                                     \
    wi__memory(label, WI__FIELDS_MAY_BE_MISSING(wi_memory_options, {__VA_ARGS__}))

WI_API wi_memory wi__memory(const char *label, wi_memory_options options);

WI__END_DECLS

#endif
