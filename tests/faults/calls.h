/* Which system calls are counted, and which file each concerns. */
#ifndef WITHIN_FAULTS_CALLS_H
#define WITHIN_FAULTS_CALLS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Calls that are many and seldom matter are counted only if they are asked for. */
enum { CALL_READS = 1, CALL_STATS = 2 };

/** A call that is about to run. */
typedef struct {
    const char *name;    /* "write" for write, pwrite64, writev …: the same on every processor */
    char path[PATH_MAX]; /* relative to the folder; "." is the folder itself */
    int length;          /* the argument with the number of bytes to write, or of pieces; 0: none */
    bool pieces;         /* argument 1 is an array of struct iovec */
} call;

/** Let the calling thread, and all that come of it, stop at these calls. False, with errno, if that is not possible. */
bool calls_filter(unsigned wanted);

/** Is a call one of a file below the folder? The folder is absolute, without links. Then *found is filled in. */
bool calls_concern(const char *folder, pid_t tid, uint64_t number, const uint64_t arguments[6],
                   call *found);

#endif
