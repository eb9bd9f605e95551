/*
 * A forked child measures into a record of its own: the parent's file is left at once, counts are zero,
 * and the sections that were open at the fork are open in the child too, from then on.
 *
 * The child's file is made at its first section, so that a child that only calls exec leaves none.
 */
#ifndef WITHIN_RECORD_FORK_H
#define WITHIN_RECORD_FORK_H

#include "record/record.h"

/* The order in which constructors have forks noticed: of locks that are taken inside of others the innermost first. */
enum { WI__WATCHES_FIRST = 101, WI__WATCHES_NEXT = 102 };

/** Have forks noticed. */
void wi__fork_watch(void);
/** Has this child measured nothing yet? */
int wi__fork_is_pending(void);
/**
 * A thread of the child measures for the first time: give it back its branch, if it is the one that forked.
 * The lock is held.
 *
 * @param[out] path  of size `size`: the child's own file, "<parent's>.<pid>".
 * @return `path` when the whole child measures for the first time and the parent had a file; else NULL.
 */
const char *wi__fork_settle(char *path, size_t size);

/** A section was closed. */
void wi__fork_closed(const wi__branch *branch);
/**
 * Is the thread inside a section that was open at the fork? Such a section knows a start that lies before
 * the fork: only the node's is right, which the slow path uses.
 */
int wi__fork_is_inside_inherited(void);

#endif
