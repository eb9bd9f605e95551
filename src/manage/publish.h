/*
 * Publishing: a file is made beside its target, under a name that tells whose it is, and renamed over it.
 *
 *     wi__publication_begin         finds the target and names the temporary
 *     wi__publication_create        makes the temporary; or something else does, by its path
 *     wi__publication_settle        gives it its permissions and has it on the disk; then it is closed
 *     wi__publication_publish       renames it
 *     wi__publication_end           in any case, and last: what was not published is removed
 *
 * A forked child has its parent's publications: to it they are foreign, and ending them removes nothing.
 */
#ifndef WITHIN_MANAGE_PUBLISH_H
#define WITHIN_MANAGE_PUBLISH_H

#include <stddef.h>
#include <sys/types.h>

#include "manage/trouble.h"

typedef struct wi__publication wi__publication;

typedef struct wi__publication_options {
    const char *kind; /* for the ledger of what is held */
    int no_sync;
    int exclusive; /* nothing may be at the target */
} wi__publication_options;

/** @param[out] made  to be ended by the caller; NULL after trouble. */
wi__trouble wi__publication_begin(wi__publication **made, const char *path,
                                  wi__publication_options options);

/**
 * Make the temporary: nobody else may read it before it has its permissions, unless they are the usual ones.
 *
 * @param[out] fd  open for reading and writing, and locked; owned by the caller. -1 after trouble.
 * @param size     bytes to reserve; 0 for none.
 * @param mode     the permissions to come; 0 for those of the old file, or 0666 less umask.
 */
wi__trouble wi__publication_create(wi__publication *publication, int *fd, size_t size, mode_t mode);

/** Give it its permissions, owner and group, and have its content on the disk. */
wi__trouble wi__publication_settle(wi__publication *publication, int fd, mode_t mode);

/** Rename it over the target, and have that on the disk. */
wi__trouble wi__publication_publish(wi__publication *publication);

/** Remove what was not published, and free the publication. */
void wi__publication_end(wi__publication *publication);

/** Say on stderr that the block was left early, and nothing is published: each time, for each loses a file. */
void wi__publication_say_left(const char *path);

/** Was it begun by the process that this one was forked from? */
int wi__publication_is_foreign(const wi__publication *publication);
/** The path of the temporary; lives as long as the publication. */
const char *wi__publication_temporary(const wi__publication *publication);

#endif
