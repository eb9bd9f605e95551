/* Removing a file, a link, or a folder with everything in it. */
#ifndef WITHIN_MANAGE_REMOVE_TREE_H
#define WITHIN_MANAGE_REMOVE_TREE_H

#include <limits.h>
#include <stdint.h>

#include <within/macros.h>

/** What became of a removal. */
typedef struct wi__removal {
    uint64_t files; /* removed, whatever is no folder; the size of regular ones */
    uint64_t bytes;
    uint64_t left; /* how many could not be removed, not counting the folders that they are in */
    int error;     /* of the first of these, an errno value; EBUSY: something is mounted there */
    char path[PATH_MAX]; /* of the first, beginning with the name that was to be removed */
} wi__removal;

enum {
    WI__REMOVE_WEIGH = 1, /* count bytes, which needs a look at each file */
    WI__REMOVE_DRY = 2,   /* count only, and remove nothing */
};

/**
 * Remove a name from a folder, and everything below it.
 *
 * Links are removed and never followed, whatever takes the place of what meanwhile. Folders of this user that
 * cannot be read or written become so. What is mounted in the tree is left as it is. What is not there, or vanishes
 * meanwhile, is no error.
 *
 * @param folder        descriptor of a folder, O_PATH or not; AT_FDCWD will not do.
 * @param how           0, or flags.
 * @param[out] removal  what became of it.
 * @return removal->error: 0 when all is gone. What can be removed is, after an error, too.
 *
 * Cost: as wi__walk_tree, and a system call a file.
 */
WI_API int wi__remove_tree(int folder, const char *name, int how, wi__removal *removal);

#endif
