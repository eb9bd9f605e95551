/*
 * An open file: what lies behind a wi_h5_file, and what its functions ask first.
 *
 * Life cycle: entering makes it; wi_h5_commit or the exit, whichever is first, ends it, and so does exit() before
 * HDF5's own end. In a forked child all that is left is to close it.
 */
#ifndef WITHIN_HDF5_FILE_H
#define WITHIN_HDF5_FILE_H

#include <hdf5.h>
#include <pthread.h>
#include <within/atomic_file.h>
#include <within/hdf5.h>
#include <within/record.h>

#include "disk.h"

typedef struct wi__h5_open {
    wi_h5_file *file;
    wi__h5_disk *disk;
    wi_atomic_path target;    /* of a file that is written: where it goes, until it is there */
    struct wi__h5_rows *rows; /* the datasets that grow, the newest first */
    int writes;
    int streams;      /* made by wi_h5_stream */
    int started;      /* in SWMR mode, and at its place */
    int failure_told; /* a write's failure was raised */
    int ended;        /* nothing is left but this */
    wi_holding holding;
    pthread_t thread;         /* that entered it: the one whose exit() ends it */
    struct wi__h5_open *next; /* of all that are open in the process */
} wi__h5_open;

/** Open file->path as its mode says. What was acquired when it raises is released by its caller. */
void wi__h5_acquire(wi_h5_file *file);

/** @raise WI_USAGE_ERROR if the file is not open, or was opened before a fork. */
void wi__h5_require_open(const wi_h5_file *file);
/** @raise the same if it is not open for writing. */
void wi__h5_require_writing(const wi_h5_file *file);
/** @raise the same if rows are being streamed: then nothing can be created. `what` and `name` say what was wanted. */
void wi__h5_require_creating(const wi_h5_file *file, const char *what, const char *name);

/** A list of properties of a link that makes the groups on its way; given back by the caller. */
hid_t wi__h5_links_with_groups(const wi_h5_file *file);

/** Lock the files again that this process streams to, after one that may be the same was closed. */
void wi__h5_lock_again(void);
/** Does this process stream to this file? It cannot ask for a lock of its own. */
int wi__h5_streams_to(dev_t device, ino_t inode);

/** List on stderr what the program left open in the file, and close it. */
void wi__h5_close_leftovers(const wi_h5_file *file);

#endif
