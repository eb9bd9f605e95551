/*
 * The working directory of a block.
 *
 *     within (wi_workdir("results/run7")) { write_figures(); }
 *
 * The block's end goes back to the very directory that it came from, which is kept open meanwhile: also when that was
 * moved or renamed, and even when it was removed (nothing can be made in it then, and getcwd fails with ENOENT).
 * The environment variable PWD is left as it is.
 */
#ifndef WITHIN_WORKDIR_H
#define WITHIN_WORKDIR_H

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

typedef struct wi_workdir {
    const wi_protocol *protocol;
    const char *path;              /* as it was given; borrowed until the block ends */
    struct wi__way_back *way_back; /* NULL outside of the block */
    wi_holding holding;
} wi_workdir;

/**
 * Go to a directory for the block.
 *
 * Blocks may end in any order, by exit stacks or on several threads: the process is where the newest open one has gone,
 * and in the end where it was before them all. In a child forked inside a block its end takes the child back.
 *
 * @param path  a directory, absolute or seen from the working directory; not NULL.
 * @raise on enter WI_FILE_NOT_FOUND, WI_NOT_A_DIRECTORY, WI_PERMISSION_ERROR, … if it is no place to be in, or if the
 *        present directory cannot be kept to come back to; WI_USAGE_ERROR if this manager is open already. Nothing has
 *        changed then.
 * @raise on exit WI_PERMISSION_ERROR, … if the way back is shut by now; the message has the directory's name of
 *        today. The process stays where it is.
 *
 * Threads: the working directory is the process's, all threads' paths are seen from it. Cost: four system calls.
 */
#define wi_workdir(path) wi__workdir(path)

/* ---- behind the macro ---- */

WI_API wi_workdir wi__workdir(const char *path);

WI__END_DECLS

#endif
