/*
 * Files that appear whole or not at all: written beside their target, then renamed over it.
 *
 *     within (file, wi_atomic_file("ber.csv")) { fputs("snr,ber\n", file->stream); }
 *
 *     within (file, wi_atomic_path("ber.h5")) { write_with_a_library(file->temporary); }
 *
 * Until the body ends, and after any other end of it or of the process, the target has its old content,
 * or is not there. Only the end of the body publishes; a return, an error, exit() or a cancelled thread
 * discards. To leave early with what was written, call wi_atomic_file_commit or wi_atomic_path_commit first.
 *
 * The target's last part may be a symbolic link, or a chain of them: what that names is replaced or made.
 * The temporary lies in the same folder; its name, ".ber.csv.within-…", tells the process that owns it, so
 * that what a killed one left behind can be told from what is in use. Renaming gives the target a new inode:
 * its other hard links keep the old content, and extended attributes and ACLs are not carried over.
 *
 * In a child forked inside a block neither its exit nor its end publishes, discards or removes anything.
 * What the child itself writes to the stream or descriptor still goes into the parent's file.
 */
#ifndef WITHIN_ATOMIC_FILE_H
#define WITHIN_ATOMIC_FILE_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <within/block.h>

WI__BEGIN_DECLS

typedef struct wi_atomic_file_options {
    size_t size;   /* bytes to reserve on the disk when the block begins; 0: none */
    mode_t mode;   /* permissions; 0: those of the old file, or 0666 less umask */
    int no_sync;   /* nonzero: leave it to the system when the content reaches the disk */
    int exclusive; /* nonzero: the target must not be there, when the block begins and when it ends */
} wi_atomic_file_options;

typedef struct wi_atomic_file {
    const wi_protocol *protocol;
    const char *path;
    wi_atomic_file_options options;
    FILE *
        stream; /* to read and write; not to be closed. NULL outside of the block, and once committed */
    int fd;     /* the stream's descriptor; -1 then */
    struct wi__publication *publication;
} wi_atomic_file;

/**
 * A file that appears whole or not at all: wi_atomic_file(path) or
 * wi_atomic_file(path, .size = bytes, .mode = 0644, .no_sync = 1, .exclusive = 1).
 *
 * At the body's end the stream is flushed, the file gets its permissions (and the old one's owner and group
 * where the process may give them), is written to the disk, closed, and renamed; then its folder is written to
 * the disk. Each is checked. Space that was reserved and is not needed is given back.
 *
 * @param path  the target; borrowed until the block ends. A regular file or nothing.
 * @raise on enter WI_FILE_NOT_FOUND if the folder is missing, WI_IS_A_DIRECTORY, WI_PERMISSION_ERROR if the
 *        target or its folder cannot be written, WI_FILE_EXISTS if it must not be there, WI_DISK_FULL if
 *        there is no room for .size, WI_OS_ERROR if the target is a pipe, device, socket or open descriptor.
 * @raise on exit WI_DISK_FULL, WI_OS_ERROR, … : the old file is untouched and the new one discarded, except
 *        where the message says that the new content is in place: then syncing the folder failed.
 *
 * Threads: one at a time. Cost: that of the calls it makes; two waits for the disk, none with .no_sync.
 */
#define wi_atomic_file(...) WI__ATOMIC_FILE(__VA_ARGS__, )
#define WI__ATOMIC_FILE(path, ...)                                                                 \
    wi__atomic_file(path, WI__FIELDS_MAY_BE_MISSING(wi_atomic_file_options, {__VA_ARGS__}))

/**
 * Publish now; the rest of the body has no stream any more, and may be left by a return.
 *
 * @raise what the exit would; the file is discarded then. WI_USAGE_ERROR if it is not open, or in a forked
 *        child.
 */
WI_API void wi_atomic_file_commit(wi_atomic_file *file);

typedef struct wi_atomic_path_options {
    int no_sync; /* nonzero: leave it to the system when the content reaches the disk */
} wi_atomic_path_options;

typedef struct wi_atomic_path {
    const wi_protocol *protocol;
    const char *path;
    wi_atomic_path_options options;
    const char *temporary; /* absolute; NULL outside of the block, and once committed */
    struct wi__publication *publication;
} wi_atomic_path;

/**
 * A path for a library that makes its files by itself: wi_atomic_path(path) or wi_atomic_path(path, .no_sync = 1).
 *
 * Nothing is at `temporary` when the body begins; at its end a regular file must be there, closed by the library.
 * It gets the old file's permissions, owner and group as with wi_atomic_file (without an old file it keeps those
 * that the library gave it), is written to the disk, and renamed. Anything else that the library puts beside it
 * is left alone.
 *
 * @param path  the target; borrowed until the block ends.
 * @raise on enter as wi_atomic_file.
 * @raise on exit as wi_atomic_file; WI_FILE_NOT_FOUND if the body made no file, WI_IS_A_DIRECTORY if it made a
 *        folder, which is left where it is, WI_OS_ERROR if it made anything else.
 *
 * Threads: one at a time. Cost: that of the calls it makes; two waits for the disk, none with .no_sync.
 */
#define wi_atomic_path(...) WI__ATOMIC_PATH(__VA_ARGS__, )
#define WI__ATOMIC_PATH(path, ...)                                                                 \
    wi__atomic_path(path, WI__FIELDS_MAY_BE_MISSING(wi_atomic_path_options, {__VA_ARGS__}))

/** Publish what is at `temporary` now. As wi_atomic_file_commit. */
WI_API void wi_atomic_path_commit(wi_atomic_path *file);

/* ---- behind the macros ---- */

WI_API wi_atomic_file wi__atomic_file(const char *path, wi_atomic_file_options options);
WI_API wi_atomic_path wi__atomic_path(const char *path, wi_atomic_path_options options);

WI__END_DECLS

#endif
