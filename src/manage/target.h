/*
 * The target of a file that is to be replaced: where its name lies when links are followed, and whether it can be.
 */
#ifndef WITHIN_MANAGE_TARGET_H
#define WITHIN_MANAGE_TARGET_H

#include <limits.h>
#include <sys/stat.h>

#include "manage/trouble.h"

typedef struct wi__target {
    char path[PATH_MAX]; /* links followed, and absolute where the working folder can be told */
    const char *name;    /* the last part of it */
    int folder;          /* an open descriptor of the rest: moves of folders do not matter */
    int is_there;
    struct stat status; /* when it is there */
} wi__target;

typedef struct wi__target_wish {
    int is_new;     /* nothing may be there, not even a link */
    int to_be_read; /* the folder: as fsync needs */
} wi__target_wish;

/**
 * Find the target. It is a regular file that may be written, or nothing, in a folder that may be written.
 *
 * After trouble nothing is open; otherwise the caller closes `folder`.
 */
wi__trouble wi__target_open(wi__target *target, const char *path, wi__target_wish wish);
/** Look again what is there, a regular file or nothing that matters. */
wi__trouble wi__target_look(wi__target *target);
/** The path of another name in the target's folder. @return 0, or ENAMETOOLONG. */
int wi__target_beside(const wi__target *target, const char *name, char path[PATH_MAX]);

#endif
