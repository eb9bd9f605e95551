/*
 * The file on the disk, as HDF5 sees it: a file driver that never tells HDF5 of a write that failed.
 *
 * HDF5 1.10 to 2.0 cannot close an object or a file whose last data cannot be written: its identifier stays, with
 * nothing behind it, and the end of the process crashes on it. So the first write that fails is kept here, with
 * its errno value, and none is made after it: the file stays as a kill at that moment would have left it. HDF5
 * goes on, and closes. Whoever calls HDF5 asks afterwards.
 *
 * In a forked child no write is made at all: the end of the child would have HDF5 write what the parent has in
 * its memory.
 */
#ifndef WITHIN_HDF5_DISK_H
#define WITHIN_HDF5_DISK_H

#include <hdf5.h>
#include <sys/types.h>

typedef struct wi__h5_disk {
    pid_t owner;      /* who may write */
    int users;        /* managers and files of HDF5 that refer to this */
    int fd;           /* -1: not open */
    int open_error;   /* errno value of the last open or lock; 0: it succeeded */
    int read_error;   /* of the last read; 0: it succeeded */
    int write_error;  /* of the first write, truncate or close that failed; 0: none has */
    const char *what; /* that one: "write" */
    int discards;     /* nonzero: what is written from now on is not wanted */
} wi__h5_disk;

/** NULL without memory. */
wi__h5_disk *wi__h5_disk_new(void);
/** The last one who lets go frees it. */
void wi__h5_disk_let_go(wi__h5_disk *disk);
/** Have a file access property list open files here; negative if HDF5 cannot. */
herr_t wi__h5_disk_use(hid_t access, wi__h5_disk *disk);
/** Is this process a child of the one that opened the file? */
int wi__h5_disk_is_foreign(const wi__h5_disk *disk);

#endif
