/*
 * Opening and closing a section in the calling thread's lane: what happens at every section.
 *
 * Measured on the way here (Intel, TSC): a read of the clock lets nothing behind it start and waits for
 * all before it, so that only what is longer than some 16 cycles between two reads costs time. Hence the
 * order of things below, addresses that are known before the read, and no call on the fast path.
 */
#ifndef WITHIN_RECORD_SCOPE_H
#define WITHIN_RECORD_SCOPE_H

#include <within/block.h>
#include <within/record.h>

#include "record/clock.h"
#include "record/record.h"
#include "record/tree.h"

#define WI__RARE __attribute__((noinline, cold))

/* All cases: a new path, no lane yet, a slow clock; ends that do not match, errors, anchors that are due. */
WI__RARE void wi__scope_begin_slowly(wi__opened *opened, const char *name);
WI__RARE wi_verdict wi__scope_end_slowly(const wi__opened *opened, wi_reason reason, uint64_t now);

/* A child that was not opened lately: found in the parent's table, or made. */
void wi__scope_begin_again(wi__opened *opened, const char *name, uint64_t now);

/* Where reading the clock is a call. */
void wi__scope_begin_by_call(wi__opened *opened, const char *name);
wi_verdict wi__scope_end_by_call(const wi__opened *opened, wi_reason reason);

/* The thread's state, its address computed here and not after the clock was read. */
WI__INLINE wi__thread *wi__scope_thread(void) {
    wi__thread *thread = &wi__self;
    __asm__ volatile("" : "+r"(thread));
    return thread;
}

WI__INLINE void wi__scope_open(wi__opened *opened, wi__thread *thread, const wi__child *child,
                               uint64_t now) {
    opened->branch = child->branch;
    opened->node = child->node;
    opened->start = now;
    thread->branch = child->branch;
    child->node->start = now;
    *thread->current = child->cell;
}

/* 0 if the thread's innermost section has not opened this one lately. */
WI__INLINE int wi__scope_begin_at(wi__opened *opened, wi__thread *thread, uintptr_t site,
                                  uint64_t now) {
    wi__branch *parent = (wi__branch *)thread->branch;
    const wi__child *child = parent ? wi__cached_child(parent, site) : NULL;
    if (WI__UNLIKELY(!child || child->key != site)) return 0;
    wi__scope_open(opened, thread, child, now);
    return 1;
}

/**
 * Open a section below the thread's innermost one.
 *
 * The clock is read first: the search for the child is over before the next read, in the shadow of the
 * body, where before this read it would be waited for.
 */
WI__INLINE void wi__scope_begin(wi__opened *opened, const char *name) {
    wi__thread *thread = wi__scope_thread();
    uintptr_t site = (uintptr_t)opened->site;
    __asm__ volatile("" : "+r"(site));
    if (!wi__clock_is_counter()) {
        wi__scope_begin_by_call(opened, name);
        return;
    }
    uint64_t now = wi__clock_counter();
    if (!wi__scope_begin_at(opened, thread, site, now)) wi__scope_begin_again(opened, name, now);
}

/** After an end that was a rare case: renew an anchor that is due, and tell when the next such case is. */
void wi__scope_keep_up(wi__lane *here, uint64_t now);

/** What was opened; NULL if it is not measured. */
wi__branch *wi__scope_branch(const wi__opened *opened);

/** Close all that the calling thread has open: it ends. */
void wi__scope_close_all(void);

/** The same, found by its name. */
void wi__scope_begin_by_name(wi__opened *opened, const char *name);

/* 0 if there is more to do. */
WI__INLINE int wi__scope_end_at(const wi__opened *opened, wi__thread *thread, wi_reason reason,
                                uint64_t now) {
    wi__branch *branch = (wi__branch *)opened->branch;
    if (WI__UNLIKELY(thread->branch != branch || now >= thread->due || reason == WI_RAISED))
        return 0;
    uint64_t ticks = now - opened->start;
    if (WI__UNLIKELY(ticks >> 32 || !wi__node_add_call((wi__node *)opened->node, ticks))) return 0;
    thread->branch = branch->parent;
    *thread->current = branch->parent->cell;
    return 1;
}

/** Close it. @return WI_PROPAGATE, so that rare cases are tail calls. */
WI__INLINE wi_verdict wi__scope_end(const wi__opened *opened, wi_reason reason) {
    wi__thread *thread = wi__scope_thread();
    wi__opened here = *opened;
    __asm__ volatile("" : "+r"(here.branch), "+r"(here.node)); /* loaded before the clock is read */
    if (!wi__clock_is_counter()) return wi__scope_end_by_call(opened, reason);
    uint64_t now = wi__clock_counter();
    if (wi__scope_end_at(&here, thread, reason, now)) return WI_PROPAGATE;
    return wi__scope_end_slowly(opened, reason, now);
}

#endif
