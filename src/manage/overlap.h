/*
 * Blocks that change what belongs to the whole process: those that are open, in the order in which they began.
 *
 * They may end in any other order, in exit stacks and on several threads. What the newest one asked for holds, and one
 * that ends before a newer one hands on what is to be put back. The links are on the heap: a forked child has those
 * of threads that it lacks, and must not look at their stacks.
 */
#ifndef WITHIN_MANAGE_OVERLAP_H
#define WITHIN_MANAGE_OVERLAP_H

typedef struct wi__layer {
    struct wi__layer *older, *newer; /* NULL at the ends */
} wi__layer;

/** All that follows is done with the lock, which a forked child finds free. Not for code that may raise. */
void wi__overlap_lock(void);
void wi__overlap_unlock(void);

/** A block begins: it is the newest. */
void wi__layer_push(wi__layer **newest, wi__layer *layer);
/** It ends. */
void wi__layer_remove(wi__layer **newest, wi__layer *layer);

#endif
