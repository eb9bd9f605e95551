/*
 * What programs hold back before they write: C's stdout and stderr, and Fortran's units.
 */
#ifndef WITHIN_MANAGE_REDIRECT_STREAMS_H
#define WITHIN_MANAGE_REDIRECT_STREAMS_H

#include "manage/trouble.h"

/* What a block knows of them. */
typedef struct wi__streams {
    int failed[2]; /* had stdout, stderr failed before? */
    int by_line;   /* does it want stdout written out line by line? */
} wi__streams;

/** Write out what they hold. */
void wi__streams_flush(void);

/** A block begins: remember how they are. Before their descriptors change. */
void wi__streams_keep(wi__streams *block);
/** Let stdout be written out line by line until the block ends; one that is not buffered at all stays so. */
void wi__streams_by_line(wi__streams *block);
/**
 * Write out what they hold, while the descriptors fds[0] to fds[count - 1] still lead elsewhere; what cannot be
 * written is dropped.
 *
 * @return what went wrong with those on these descriptors, now or since wi__streams_keep; they do not count as failed
 *         from then on.
 */
wi__trouble wi__streams_finish(const wi__streams *block, const int *fds, int count);
/** The block ends, after the descriptors were put back: let stdout be as it was, once no block needs it otherwise. */
void wi__streams_put_back(const wi__streams *block);

#endif
