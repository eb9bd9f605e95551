/*
 * The thread's chain: from its current branch up to the root. What is inside what at this moment.
 *
 * Plain sections only ever add to its end and take away from it. Spans move a thread from one chain to
 * another, and may end in the middle of one.
 */
#ifndef WITHIN_RECORD_CHAIN_H
#define WITHIN_RECORD_CHAIN_H

#include <within/block.h>

#include "record/tree.h"

WI__INLINE int wi__is_span(const wi__branch *branch) { return branch->node->spans != 0; }

/* Of a branch that is on the chain: has what it stands for ended? */
WI__INLINE int wi__is_over(const wi__branch *branch) {
    const wi__node *node = branch->node;
    return branch->state == WI__GHOST ||
           node->spans - __atomic_load_n(&node->away, __ATOMIC_RELAXED) == 1;
}

/** The innermost branch that is open in the calling thread, which has a lane: its root if nothing is. */
wi__branch *wi__branch_here(void);
/** Is it on the calling thread's chain? It is of the thread's lane. */
int wi__is_on_chain(const wi__branch *branch);
/** The nearest branch above that is open; of one that is not on the chain, as far as can be known. */
wi__branch *wi__open_above(const wi__branch *branch);
/** Where the thread was can be where it is again, if that is still open: else NULL. */
wi__branch *wi__still_open(wi__branch *branch);
/** Make another branch of the thread's lane the current one, remembering which plain sections are open. */
void wi__chain_move(wi__branch *to);

#endif
