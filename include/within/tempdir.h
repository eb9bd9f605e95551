/*
 * Scratch directories: there for a block, and removed with everything in them on every way out of it.
 *
 *     within (scratch, wi_tempdir()) { solve_out_of_core(scratch->path); }
 *
 * A process that is killed removes nothing. Beside each scratch directory lies an owner file, ".within.within-…",
 * that tells whose it is: the next process of the same user that makes a scratch directory in the same folder
 * removes those of dead processes, and so does `within clean`. Nobody touches those of living ones, or of
 * processes on other hosts and in other containers, which cannot be told dead from here.
 *
 * A removal never follows a link out of the directory, and does not go into what is mounted there.
 *
 * In a child forked inside a block the block's end removes nothing. Programs that the block starts may use the
 * directory as long as the process that made it lives.
 */
#ifndef WITHIN_TEMPDIR_H
#define WITHIN_TEMPDIR_H

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

typedef struct wi_tempdir_options {
    const char *prefix; /* how its name begins; NULL: "within". Borrowed until the block begins */
    const char
        *parent; /* the folder to make it in; NULL: $TMPDIR, or /tmp if that is not set or empty */
    int keep_on_error; /* nonzero: it stays after an error in the block, and where is said on stderr */
} wi_tempdir_options;

typedef struct wi_tempdir {
    const wi_protocol *protocol;
    wi_tempdir_options options;
    const char *path; /* absolute, whatever the parent is; NULL outside of the block */
    struct wi__scratch *scratch;
    wi_holding holding;
} wi_tempdir;

/**
 * A scratch directory, empty, for this user alone (mode 0700): wi_tempdir() or
 * wi_tempdir(.prefix = "fft", .parent = "/scratch", .keep_on_error = 1).
 *
 * At the block's end all that is in it is removed, folders without write permission too, however deep they are. One
 * that was kept belongs to the user from then on: nothing removes it.
 *
 * @raise on enter WI_VALUE_ERROR if the prefix is empty, begins with '.' or has a '/' in it; WI_FILE_NOT_FOUND,
 *        WI_PERMISSION_ERROR, WI_DISK_FULL, … if the directory cannot be made; WI_USAGE_ERROR if this manager is
 *        open already.
 * @raise on exit the kind of error of what could not be removed first, which the message names. All else is
 *        removed; the rest goes with `within clean`, once the process has ended and the cause is gone.
 *
 * Threads: one at a time; other threads may use the directory. Cost: some 50 system calls a block, and one for each
 * file to remove; once per process and parent a look at the parent's names, at most 20,000 of them.
 */
#define wi_tempdir(...) wi__tempdir(WI__FIELDS_MAY_BE_MISSING(wi_tempdir_options, {__VA_ARGS__}))

/* ---- behind the macro ---- */

WI_API wi_tempdir wi__tempdir(wi_tempdir_options options);

WI__END_DECLS

#endif
