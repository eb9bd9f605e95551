/*
 * Walking a tree of folders: however deep it is, with one descriptor, never through a link or onto a mount point.
 *
 * The walk stands in one folder at a time; names of folders that are still to be entered lie on a stack. It comes
 * back by "..", and looks whether that is where it came from: if somebody has moved the folder meanwhile, the walk
 * begins anew.
 */
#ifndef WITHIN_MANAGE_WALK_H
#define WITHIN_MANAGE_WALK_H

#include <stddef.h>
#include <sys/stat.h>

typedef struct wi__walk wi__walk;

/** What is done on the way. `self` is wi__walk_tree's; a name is one in the folder that the walk stands in. */
typedef struct wi__walker {
    /** An entry, of a type as in struct dirent. @return 1: a folder to enter, after its neighbours were seen */
    int (*entry)(void *self, const wi__walk *walk, const char *name, unsigned char type);
    /** A folder is about to be read. `folder` is only good for paths (O_PATH). May be NULL. */
    void (*before)(void *self, int folder, const struct statx *status);
    /** The walk has come back from a folder. @return 0, or why it should be entered again. May be NULL. */
    int (*after)(void *self, const wi__walk *walk, const char *name);
    /** Something could not be walked: "." if a folder could not be read to its end. EXDEV: another file system is mounted there. */
    void (*failed)(void *self, const wi__walk *walk, const char *name, int error);
} wi__walker;

/**
 * Walk the tree that begins with `name` in a folder; `name` itself is the first entry.
 *
 * @return 0, or an errno value: ENOMEM, or ESTALE if folders are moved about all the time.
 *
 * Threads: other threads and processes may change the tree; what vanishes is passed over in silence.
 * Cost: a few system calls a folder; memory for the names of folders that wait.
 */
int wi__walk_tree(int folder, const char *name, const wi__walker *walker, void *self);

/** The folder that the walk stands in; only good for paths (O_PATH). */
int wi__walk_folder(const wi__walk *walk);
/** The path of an entry, from the tree's first name on; "." is the folder itself. One that is too long ends in "…". */
void wi__walk_path(const wi__walk *walk, const char *name, char *buffer, size_t size);

#endif
