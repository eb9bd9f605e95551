/*
 * Paths of sections that are watched: a watcher is called before a call of them begins and after it has ended.
 *
 * Nothing on the way of sections asks whether one is watched. A path whose next call is to be looked at is left out of
 * its parent's cache, and its end made one that has more to do; so both come through the slow functions. A path that
 * is called often is looked at seldom: `due` tells when again, and the thread's own `due` sees to it.
 */
#ifndef WITHIN_RECORD_WATCHED_H
#define WITHIN_RECORD_WATCHED_H

#include "record/tree.h"

/** What the record keeps of a watched path; the first member of what the watcher keeps. */
typedef struct wi__watched {
    wi__branch *branch;
    struct wi__watched *next; /* of the lane */
    uint32_t generation;      /* in which it was taken last */
    int is_armed;             /* its next call is looked at */
    int is_inside;            /* a call is being looked at */
    uint64_t start; /* of that call, ticks: it is told by it from others of a path of spans */
    uint64_t due;   /* ticks: when it is armed again */
} wi__watched;

/** All are called by the thread that runs the section, without the lock. */
typedef struct wi__watcher {
    /* A path that is met for the first time in a generation: what is kept of it, for ever, and is its `watched` from
     * then on; NULL: it is not watched in this one. */
    wi__watched *(*take)(wi__branch *branch);
    void (*before)(wi__watched *watched);
    /* @return ticks until the next look, counted from `now`; 0: the next call. */
    uint64_t (*after)(wi__watched *watched, uint64_t ticks);
} wi__watcher;

/** Who watches; NULL: nobody. Each change is a new generation, in which all paths are met for the first time. */
extern const wi__watcher *wi__watcher_now __attribute__((visibility("hidden")));
extern uint32_t wi__watch_generation __attribute__((visibility("hidden")));

WI__INLINE const wi__watcher *wi__who_watches(void) {
    return __atomic_load_n(&wi__watcher_now, __ATOMIC_ACQUIRE);
}
WI__INLINE uint32_t wi__generation(void) {
    return __atomic_load_n(&wi__watch_generation, __ATOMIC_ACQUIRE);
}

/** Begin, change or end watching: threads notice at their next rare case, a second later at most, this one now. */
void wi__watch_set(const wi__watcher *watcher);
/** The record has measured what sections cost: whoever waits to watch begins. */
void wi__watch_allow(void);
/** In a forked child, the lock held: its paths are met anew. */
void wi__watch_restart(void);

/** Must a call of this path go the slow way? */
WI__INLINE int wi__is_to_be_watched(const wi__branch *branch) {
    return wi__who_watches() && (branch->watch_generation != wi__generation() ||
                                 (branch->watched && branch->watched->is_armed));
}

int wi__watch_look(wi__branch *branch);
/** A call of the path is about to begin. @return 1 if it is looked at: then wi__watch_began is to be called. */
WI__INLINE int wi__watch_before(wi__branch *branch) {
    return WI__UNLIKELY(wi__who_watches() != NULL) && wi__watch_look(branch);
}
/** It began. */
void wi__watch_began(wi__branch *branch, uint64_t start);
void wi__watch_looked_at(wi__branch *branch, uint64_t start, uint64_t now);
/** A call that began at `start` has ended. */
WI__INLINE void wi__watch_after(wi__branch *branch, uint64_t start, uint64_t now) {
    if (WI__UNLIKELY(branch->watched != NULL)) wi__watch_looked_at(branch, start, now);
}

/** A rare case of the thread's: arm what is due, and notice a change. */
void wi__watch_keep_up(wi__lane *lane, uint64_t now);

#endif
