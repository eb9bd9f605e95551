/*
 * The tree of paths in a lane: finding the child that a section enters, and counting its calls.
 */
#ifndef WITHIN_RECORD_TREE_H
#define WITHIN_RECORD_TREE_H

#include "record/record.h"

/** Cells for a lane. 0 if there is no memory. The lock is held. */
uint32_t wi__lane_allocate(wi__lane *lane, uint32_t cells);
/** A branch below `parent`, or a root if that is NULL. NULL if there is no memory. The lock is held. */
wi__branch *wi__branch_new(wi__lane *lane, wi__branch *parent, const char *name);
/** The child for a site, made if need be; "(other)" at the node cap; NULL if there is no memory. */
wi__branch *wi__child_of_site(wi__branch *parent, const void *site, const char *name);
/** Put the child for a site into the parent's cache. 0 if there is none yet, or its calls go the slow way. */
int wi__cache_known_child(wi__branch *parent, const void *site);
/** The child with a name, likewise. */
wi__branch *wi__child_of_name(wi__branch *parent, const char *name);
/** The same for a span: a path that plain sections of this name do not share. */
wi__branch *wi__child_of_span_name(wi__branch *parent, const char *name);
/** The root of a tree apart with this name, below the lane's root, likewise. */
wi__branch *wi__tree_apart(wi__lane *lane, const char *name);
/** The same if it is there; else NULL. */
wi__branch *wi__known_tree_apart(wi__lane *lane, const char *name);
/** The branch of the same path in a lane; "(other)" at the node cap; NULL if there is no memory. */
wi__branch *wi__same_branch(wi__lane *lane, const wi__branch *branch);
/** Make room in the pending bucket's counter, which is full. Without memory 2^31 calls are lost. */
void wi__histogram_carry(wi__lane *lane, wi__node *node);
/**
 * Count a call of a branch, also one that wi__node_add_call does not take. A clock that went backwards counts as
 * no time.
 *
 * @return its ticks.
 */
uint64_t wi__count_call(wi__branch *branch, uint64_t start, uint64_t now, int raised);
/** Forget the paths below the root, "(other)" excepted: they were a calibration. The lock is held. */
void wi__forget_children(wi__lane *lane);
/**
 * Forget all calls of a tree, keep the paths. Open spans count from `now` on, or are forgotten too.
 * The lock is held.
 */
void wi__tree_zero(wi__branch *root, uint64_t now, int keep_spans);

/* Is it the root of a tree apart? Nothing runs in it itself. */
WI__INLINE int wi__is_root_apart(const wi__branch *branch) {
    return branch->apart && branch->depth == 1;
}

/* From when on a call counts that began at `start`: a fork or a reset may have come since. */
WI__INLINE uint64_t wi__counted_from(const wi__branch *branch, uint64_t start) {
    return start > branch->floor ? start : branch->floor;
}

/* How many spans are open in a node; 0 in one of plain sections. */
WI__INLINE uint32_t wi__spans_open(const wi__node *node) {
    return node->spans - (node->spans != 0) - __atomic_load_n(&node->away, __ATOMIC_RELAXED);
}

/* Readers look at `seq` before and after: stores in between must not move past its two stores. */
WI__INLINE uint32_t wi__node_begin_change(wi__node *node) {
    uint32_t seq = node->seq;
    __atomic_store_n(&node->seq, seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return seq + 2;
}
WI__INLINE void wi__node_end_change(wi__node *node, uint32_t seq) {
    __atomic_store_n(&node->seq, seq, __ATOMIC_RELEASE);
}

/**
 * Count a call that took so many ticks. 0, and nothing was done, if the clock went backwards, or if the
 * counter of the call before is full: then wi__histogram_carry is to be called first.
 *
 * The histogram is one call behind: a read of the clock waits for what comes before it, so that a long
 * chain of operations costs its whole length, and the bucket of the call before is known at once.
 */
WI__INLINE int wi__node_add_call(wi__node *node, uint64_t ticks) {
    uint32_t *counter = &node->histogram[node->pending], count = *counter + 1;
    if (WI__UNLIKELY(!count || (int64_t)ticks < 0)) return 0;
    uint32_t seq = wi__node_begin_change(node);
    *counter = count;
    node->pending = wi__bucket(ticks);
    uint64_t square_high = ticks >> 32 ? (uint64_t)((unsigned __int128)ticks * ticks >> 64) : 0;
    int carry = __builtin_add_overflow(node->squares[0], ticks * ticks, &node->squares[0]);
    if (WI__UNLIKELY(carry || square_high)) node->squares[1] += square_high + (uint64_t)carry;
    node->total += ticks;
    if (ticks < node->min) node->min = ticks;
    if (ticks > node->max) node->max = ticks;
    node->calls++;
    wi__node_end_change(node, seq);
    return 1;
}

#endif
