/* What is at a path before it is opened: HDF5 says the same of a file that lives and of one that died. */
#ifndef WITHIN_HDF5_LOOK_H
#define WITHIN_HDF5_LOOK_H

#include <sys/types.h>

typedef enum wi__h5_state {
    WI__H5_NOTHING,  /* no file, or none that can be read */
    WI__H5_FOREIGN,  /* no HDF5 file */
    WI__H5_CLOSED,   /* as far as it says: files of HDF5 1.8 do not */
    WI__H5_OPEN,     /* open for writing, or its writer died */
    WI__H5_STREAMED, /* the same in SWMR mode: it can be read */
} wi__h5_state;

typedef struct wi__h5_look {
    wi__h5_state state;
    pid_t writer; /* the process that streams to it; 0: none that holds our lock */
    dev_t device;
    ino_t inode;
} wi__h5_look;

wi__h5_look wi__h5_look_at(const char *path);

/**
 * Hold the lock that says who streams to a file. It dies with the process, whatever children live on, and HDF5's
 * own lock, which is given up when SWMR starts, does not meet it. A file system without locks goes without.
 * Any close of the same file in this process frees it: then it is to be locked again.
 */
void wi__h5_lock_stream(int fd);

#endif
