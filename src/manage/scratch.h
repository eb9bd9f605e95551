/*
 * A scratch directory and its owner file, from their making to their end.
 *
 * The owner file is made first, and removed last: whenever the process dies, what is left has an owner that can be
 * told to be dead (src/manage/leftover.h).
 */
#ifndef WITHIN_MANAGE_SCRATCH_H
#define WITHIN_MANAGE_SCRATCH_H

#include "manage/remove_tree.h"
#include "manage/trouble.h"

typedef struct wi__scratch wi__scratch;

/** Where they are made by default: $TMPDIR, or /tmp if that is not set or empty. */
const char *wi__scratch_parent(void);

/**
 * Make a scratch directory in the folder `parent`.
 *
 * @param prefix      how its name begins; no '/' in it, and not beginning with '.'.
 * @param[out] made   ended by wi__scratch_end; NULL if there is trouble.
 */
wi__trouble wi__scratch_make(const char *parent, const char *prefix, wi__scratch **made);

/** Its absolute path. */
const char *wi__scratch_path(const wi__scratch *scratch);
/** Is this a child forked since it was made? */
int wi__scratch_is_foreign(const wi__scratch *scratch);

/**
 * End it. In a forked child only what the process holds of it is given back.
 *
 * @param keep          nonzero: the directory stays, and belongs to nobody from now on.
 * @param[out] removal  what became of it; if something could not be removed, that still has its owner.
 */
void wi__scratch_end(wi__scratch *scratch, int keep, wi__removal *removal);

#endif
