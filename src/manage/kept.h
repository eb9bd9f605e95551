/*
 * A file below /proc/self that is kept open, and used only while it is still that file of this process.
 *
 * The program may close descriptors that it does not know, and have the number used for a file of its own; a forked
 * child has its parent's. Either is noticed before anything is read, and the file is opened again.
 */
#ifndef WITHIN_MANAGE_KEPT_H
#define WITHIN_MANAGE_KEPT_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

typedef struct wi__kept {
    const char *path;
    int flags; /* of open(2) */
    int fd;
    pid_t pid; /* whose it is; 0: not open */
    dev_t device;
    ino_t inode;
} wi__kept;

/** A kept file, not yet open. */
#define WI__KEPT(path, flags) {path, flags, -1, 0, 0, 0}

/** The file's status. The caller holds a lock. @return the descriptor, or -1 if there is no such file. */
int wi__kept_look(wi__kept *kept, struct stat *status);

/**
 * The file's text, from its begin, cut to size - 1 bytes and ended by '\0'. The caller holds a lock.
 *
 * @return its length; 0 if it cannot be read.
 */
size_t wi__kept_read(wi__kept *kept, char *text, size_t size);

#endif
