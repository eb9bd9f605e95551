/*
 * The leak watch: which section leaks, how fast, and when the wall is reached.
 *
 *     within (wi_watch()) { run(); }
 *
 * says on stderr, once it is sure:
 *
 *     within: epoch > load: +3.0 descriptors a call since call 40; limit 1,024 reached in about 5 h 10 min (call 310)
 *
 * `within run --watch` and the environment variable WITHIN_WATCH=1 do the same without a call.
 */
#ifndef WITHIN_WATCH_H
#define WITHIN_WATCH_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include <within/block.h>

WI__BEGIN_DECLS

enum {
    WI_LEAKS = 8,          /* that a watch keeps; further ones are told and recorded only */
    WI_EXPLANATION = 1000, /* bytes of what explains one */
};

/** Something that grows, call after call. */
typedef struct wi_leak {
    char section[256]; /* "epoch > load"; longer ones are cut */
    char text[200];    /* "+3.0 descriptors a call since call 40; limit …" */
    const char *what;  /* "descriptors", "HDF5 handles", "GPU memory", "resident memory", … */
    int is_suspicion;  /* of bytes: growing, perhaps for good. 0: a leak */
    int is_withdrawn;  /* it levelled off, or went back */
    double per_call;
    double seconds_left; /* until the limit is reached; NaN if there is none */
    uint64_t since_call;
    char explanation
        [WI_EXPLANATION]; /* lines of what there is more of: "descriptors: +8 data/part-0001.csv"; "" until
                                         it is known. They stay when it is withdrawn */
} wi_leak;

typedef struct wi_watch_options {
    const char *
        sections; /* names, or ends of paths, separated by commas: "load, epoch > step"; NULL: what is called
                             again and again on the outside, the outermost loop, whatever its name */
    FILE *stream; /* where to tell; NULL for stderr */
    int explain;  /* nonzero: find out what it is that grows, in the section that was told */
    int quiet;    /* nonzero: tell nothing; the record and `leaks` have it all the same */
} wi_watch_options;

typedef struct wi_watch {
    const wi_protocol *protocol;
    wi_watch_options options;
    wi_leak leaks[WI_LEAKS]; /* in the order in which they were told; stay after the block */
    int leak_count;
    int is_open;
    pthread_t thread;
    struct wi_watch *next;
} wi_watch;

/**
 * Watch what sections leave behind while the block runs: descriptors, threads, resident memory, HDF5 handles, GPU
 * memory, and what others count (Python's blocks).
 *
 * Levels are read before and after a call, on all threads. Growth is told when it has gone on through two looks, of
 * bytes three, each at twice the calls of the one before, the first after 32 calls; what levels off is withdrawn.
 *
 * With .explain what there is of it is listed by name before a call of the section that was told, and again after the
 * call at which enough has grown: open descriptors by path; threads by name; of memory mappings, malloc's statistics,
 * and in Python the types of objects; HDF5 handles by kind. The largest differences are told below the finding.
 *
 * Options: wi_watch(.sections = "load", .explain = 1). What they point to is borrowed until the block ends.
 *
 * @raise WI_USAGE_ERROR on enter if this watch is open already.
 *
 * Threads: any; several watches may be open. Cost: 3 us a call that is looked at, 40 us where the processor's caches are
 * cold, and no more calls are than make 1 % of the run; sections that are not watched run as without. Memory: 5 KB a path, of 64 paths at most.
 * Each finding is explained once: two listings of some milliseconds, of programs with millions of objects or mappings
 * up to a second; 350 KB meanwhile.
 */
#define wi_watch(...) wi__watch(WI__FIELDS_MAY_BE_MISSING(wi_watch_options, {__VA_ARGS__}))

/**
 * Copy what a watch has found so far, also while it is open and other threads find more.
 *
 * @param[out] leaks  room for WI_LEAKS.
 * @return how many.
 */
WI_API int wi_watch_leaks(const wi_watch *watch, wi_leak *leaks);

WI_API wi_watch wi__watch(wi_watch_options options);

WI__END_DECLS

#endif
