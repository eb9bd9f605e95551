/*
 * A record as its reader gives it: one tree of paths, merged from all threads, and what was open.
 *
 * The reader trusts nothing in the file: every number is checked before it is used, cycles are cut, names
 * are made printable, and what does not hold is left out and counted in `damaged`.
 *
 * Life cycle: wi__profile_read or wi__profile_of_self, then wi__profile_release.
 */
#ifndef WITHIN_RECORD_PROFILE_H
#define WITHIN_RECORD_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include <within/macros.h>

#include "record/format.h"

enum { WI__ROOT = 0 }; /* the first path: no section, the parent of all that have none */
#define WI__NO_PATH UINT32_MAX

typedef struct wi__bucket_calls {
    uint32_t bucket; /* wi__bucket */
    uint64_t calls;
} wi__bucket_calls;

/** A path of nested sections. Times are in ticks: wi__profile_seconds. */
typedef struct wi__path {
    char *name; /* printable UTF-8; ends in "…" if it was cut; "" of the root */
    uint32_t parent, first_child, last_child, next_sibling; /* index into paths, or WI__NO_PATH */
    int apart; /* the root of a tree apart, a profiler's: another path than sections of this name */
    uint32_t open_calls; /* how many are inside */
    uint64_t calls;      /* that have ended */
    uint64_t total;      /* of calls that have ended */
    uint64_t open_ticks; /* of open calls, until the record's end */
    double folded;       /* of `total` and `open_ticks`: spent in children that are in "(other)" */
    double children;     /* totals and open time of all children together, those in "(other)" too */
    uint64_t errors;     /* calls ended by an error */
    uint64_t suppressed; /* errors suppressed directly inside */
    uint64_t min, max;   /* of ended calls; 0 without any */
    unsigned __int128 squares; /* sum of squares, in ticks squared */
    wi__gpu_counts gpu;        /* sums of all threads; all zero without a GPU */
    uint32_t bucket_count;
    wi__bucket_calls *buckets; /* of the histogram: those with calls, shortest first */
} wi__path;

/** Something open when the record ended: a section, or what a manager holds. */
typedef struct wi__open_scope {
    char kind[16];   /* "section", or the manager's own word: "file" */
    char *what;      /* a section's name, or the manager's text */
    uint64_t start;  /* ticks; of the newest, if several are open */
    uint64_t starts; /* the sum of their starts, modulo 2^64 */
    uint32_t count;  /* how many are open: more than one of spans only */
    uint32_t thread; /* kernel's thread id; 0 if that thread has ended */
    uint32_t depth;  /* of a section: larger further in, to order those that began at once */
    uint32_t path;   /* of a section; else WI__NO_PATH */
    uint32_t around; /* of "(other)": the path that it is open in; else WI__NO_PATH */
} wi__open_scope;

typedef struct wi__profile {
    wi__header header; /* its texts are ended by '\0' */
    uint64_t end;      /* ticks: the process's end, or the last sign of life, or now if it runs */
    double ticks_per_second;
    int alive;        /* the owner was running when the record was read */
    uint32_t threads; /* that measured, those that have ended included */
    uint32_t
        damaged;   /* things left out because they made no sense; of a live process they are torn */
    uint32_t torn; /* nodes whose last update was cut off: at most the call in flight is lost */
    size_t path_count;
    wi__path *paths; /* paths[WI__ROOT] first; parents before children */
    size_t open_count;
    wi__open_scope *open; /* innermost, that is newest, first */
} wi__profile;

/**
 * Read the record in a file.
 *
 * @param[out] why  on failure the reason, ready to print after the path: "is not a within record".
 * @return 1, or 0: then the profile holds nothing.
 */
WI_API int wi__profile_read(const char *path, wi__profile *profile, char *why, size_t size);
/** The same from an open file: it may have been deleted meanwhile. */
WI_API int wi__profile_read_file(int file, wi__profile *profile, char *why, size_t size);
/** The same from bytes. */
int wi__profile_of_bytes(const void *bytes, size_t length, wi__profile *profile, char *why,
                         size_t size);
/** The calling process's own record. 0 if it has none. */
WI_API int wi__profile_of_self(wi__profile *profile);
WI_API void wi__profile_release(wi__profile *profile);

WI_API double wi__profile_seconds(const wi__profile *profile, double ticks);

/** A path's line in a report. Seconds; NaN where there is nothing to tell (no ended calls). */
typedef struct wi__figures {
    uint64_t calls; /* ended and open */
    double total_s; /* open calls up to the record's end included */
    double self_s;  /* total less the children's totals; never negative */
    double mean_s, std_s, min_s, p50_s, p99_s, max_s; /* of ended calls; std of the population */
    uint64_t errors;
    double percent_of_parent; /* of the parent's total; of all, at the top */
    double gpu_s;             /* on the GPU, of the calls whose time there is known */
    double gpu_delta,
        gpu_peak; /* bytes of the GPU's memory, of all calls together and of the worst */
} wi__figures;
WI_API wi__figures wi__path_figures(const wi__profile *profile, uint32_t path);
/** The q-quantile of a path's ended calls in seconds, 0 <= q <= 1: within 7 %; NaN without calls. */
double wi__path_quantile(const wi__profile *profile, uint32_t path, double q);
/** The full path "a > b > c". @return its length; at most size bytes are written, '\0' included. */
WI_API size_t wi__path_text(const wi__profile *profile, uint32_t path, char *buffer, size_t size);

#endif
