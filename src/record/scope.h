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

/* Where the clock is no counter. */
WI__RARE wi_verdict wi__scope_end_now(const wi__opened *opened, wi_reason reason);

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

/**
 * Open a section below the thread's innermost one.
 *
 * The clock is read first: the search for the child is over before the next read, in the shadow of the
 * body, where before this read it would be waited for.
 */
WI__INLINE void wi__scope_begin(wi__opened *opened, const char *name) {
    uintptr_t site = (uintptr_t)opened->site;
    wi__thread *thread = wi__scope_thread();
    if (wi__clock_is_counter()) {
        uint64_t now = wi__clock_counter();
        wi__branch *parent = (wi__branch *)thread->branch;
        const wi__child *child = parent ? wi__cached_child(parent, site) : NULL;
        if (WI__LIKELY(child && child->key == site)) {
            wi__scope_open(opened, thread, child, now);
            return;
        }
    }
    wi__scope_begin_slowly(opened, name);
}

/** Close all that the calling thread has open: it ends. */
void wi__scope_close_all(void);

/** The same, found by its name. */
void wi__scope_begin_by_name(wi__opened *opened, const char *name);

/** Close it. @return WI_PROPAGATE, so that rare cases are tail calls. */
WI__INLINE wi_verdict wi__scope_end(const wi__opened *opened, wi_reason reason) {
    wi__thread *thread = wi__scope_thread();
    wi__branch *branch = (wi__branch *)opened->branch;
    wi__node *node = (wi__node *)opened->node;
    __asm__ volatile("" : "+r"(branch), "+r"(node));
    if (!wi__clock_is_counter()) return wi__scope_end_now(opened, reason);
    uint64_t now = wi__clock_counter();
    if (WI__LIKELY(thread->branch == branch && now < thread->due && reason != WI_RAISED) &&
        WI__LIKELY(wi__node_add_call(node, now - opened->start))) {
        thread->branch = branch->parent;
        *thread->current = branch->parent->cell;
        return WI_PROPAGATE;
    }
    return wi__scope_end_slowly(opened, reason, now);
}

#endif
