/*
 * Plain files: a stream that its block closes, and whose trouble is not lost.
 *
 *     within (file, wi_file("ber.csv", "a")) { fprintf(file->stream, "%g,%g\n", snr, ber); }
 *
 * What goes wrong in a write often shows when the stream is closed, and then on the disk there is less than the
 * program wrote. To replace a file's content at once, see wi_atomic_file.
 */
#ifndef WITHIN_FILE_H
#define WITHIN_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

typedef struct wi_file {
    const wi_protocol *protocol;
    const char *path;
    const char *mode;
    FILE *stream; /* not to be closed; NULL outside of the block */
    pid_t pid;
    wi_holding holding;
} wi_file;

/**
 * A stream from or to a file.
 *
 * @param path  borrowed until the block ends.
 * @param mode  as of fopen: "r", "w" or "a", then any of "+", "b" (which says nothing here) and "x" (it must
 *              not be there). Programs that are started do not inherit the descriptor.
 * @raise on enter WI_VALUE_ERROR for another mode; WI_FILE_NOT_FOUND, WI_PERMISSION_ERROR, WI_FILE_EXISTS, …;
 *        WI_IS_A_DIRECTORY, for reading too.
 * @raise on exit, whatever the reason, if the stream cannot be flushed or closed; WI_OS_ERROR at the body's end,
 *        or a return, if a read or write had failed before.
 *
 * A child forked inside the block closes its descriptor only: what it still has in the stream is dropped, and was
 * perhaps the parent's. It calls fflush for what is its own.
 *
 * Threads: as the stream. Cost: that of fopen and fclose, and an fstat.
 */
#define wi_file(path, mode) wi__file(path, mode)

/* ---- behind the macro ---- */

WI_API wi_file wi__file(const char *path, const char *mode);

WI__END_DECLS

#endif
