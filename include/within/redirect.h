/*
 * Redirected output: for a block a descriptor leads into a file, a buffer or another descriptor's place.
 *
 *     within (wi_redirect(STDOUT_FILENO, .path = "solver.log", .tee = 1)) { solve(); }
 *
 *     wi_captured output = {0};
 *     within (wi_redirect_output(.into = &output)) { solve(); }
 *     if (strstr(wi_captured_text(&output), "diverged")) { … }
 *     wi_captured_free(&output);
 *
 * It is the descriptor that is led elsewhere, so that all is caught that is written to it: by C, Fortran, other
 * languages, other threads and the programs that the block starts. What C's stdout and stderr and Fortran's units hold is
 * written out before and after, so that nothing printed inside appears outside, and nothing printed outside inside.
 *
 * At the block's end the descriptor leads again to where it led before, on every way out, whatever the body has made
 * of it; one that was closed is closed again. Blocks of one descriptor may end in any order: it leads to what the
 * newest open one says. In a child forked inside the block, the block's end puts back the child's own descriptors.
 */
#ifndef WITHIN_REDIRECT_H
#define WITHIN_REDIRECT_H

#include <stddef.h>
#include <unistd.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/** A buffer for output; `wi_captured output = {0};` is an empty one. To be freed by wi_captured_free. */
typedef struct wi_captured {
    size_t length; /* bytes that the last wi_captured_text has found */
    struct wi__capture *capture;
} wi_captured;

/** Where to: one of path, into and to. */
typedef struct wi_redirect_options {
    const char *path; /* a file, made if need be (mode 0666 less umask); borrowed for the block */
    wi_captured *
        into; /* a buffer: what was in it is forgotten. In memory, or in a file without a name in $TMPDIR */
    int to; /* where this descriptor leads: 2>&1 is wi_redirect(STDERR_FILENO, .to = STDOUT_FILENO) */
    int append;  /* nonzero: what the file at the path has, stays */
    int tee;     /* nonzero: what is caught also goes on to where the descriptor led before */
    int by_line; /* nonzero: C's stdout is written out at each line's end, as on a terminal */
} wi_redirect_options;

typedef struct wi_redirect {
    const wi_protocol *protocol;
    int fd;   /* of wi_redirect_output that of stdout */
    int both; /* nonzero: stdout and stderr */
    wi_redirect_options options;
    struct wi__redirection *open; /* NULL outside of the block */
} wi_redirect;

/**
 * One descriptor: wi_redirect(STDOUT_FILENO, .path = "solver.log", .append = 1, .tee = 1).
 *
 * A file is written to at its end, whoever else does so, and there is what was written when the process is killed. A
 * tee is a thread that passes on what the file, or the buffer, has grown by: at once or some hundredths of a second later,
 * and the rest at the block's end. It needs a regular file; where nobody reads what it passes on, it gives up (at the
 * end after ten seconds without a byte) and says so on stderr, and all is in the file.
 *
 * While stdout and stderr lead to one place, stdout is written out line by line, so that their order is kept, as it is
 * with .by_line. Programs that are started inherit the descriptor, and nothing else.
 *
 * @param fd  a descriptor of any kind; it keeps its close-on-exec flag.
 * @raise on enter WI_VALUE_ERROR for options that say nothing or too much; WI_FILE_NOT_FOUND, WI_PERMISSION_ERROR,
 *        WI_IS_A_DIRECTORY, … if the file cannot be opened; WI_OS_ERROR if .to is closed, if there is no descriptor or
 *        thread left, or for a tee if it cannot follow, or fd leads to that very file. Nothing has changed then.
 *        WI_USAGE_ERROR if the manager or the buffer is in use.
 * @raise on exit, whatever the reason, WI_DISK_FULL, … if what was printed to stdout or stderr cannot be written, now
 *        or earlier in the block. The descriptor is put back, and what was not written dropped.
 *
 * Threads: it concerns the whole process; blocks may be open on several threads. Cost: some 20 system calls a block,
 * and nothing for what is written; a tee writes it once more, and starts a thread.
 */
#define wi_redirect(...) WI__REDIRECT(__VA_ARGS__, )
#define WI__REDIRECT(fd, ...)                                                                      \
    wi__redirect(fd, 0, WI__FIELDS_MAY_BE_MISSING(wi_redirect_options, {__VA_ARGS__}))

/**
 * stdout and stderr into one place, their order kept: wi_redirect_output(.path = "solver.log").
 *
 * Both share one open file. With .tee both go on to where stdout led, as in a shell with 2>&1 | tee.
 *
 * @raise as wi_redirect.   Threads and cost: as wi_redirect.
 */
#define wi_redirect_output(...)                                                                    \
    wi__redirect(STDOUT_FILENO, 1, WI__FIELDS_MAY_BE_MISSING(wi_redirect_options, {__VA_ARGS__}))

/**
 * What a buffer has caught so far, inside of its block, or in all, after it; then a '\0'. Its bytes are counted by
 * captured->length. Never NULL. What processes write that outlive the block is not in it.
 *
 * Ownership: the buffer's, until the next call with it, its next block or wi_captured_free.
 * @raise WI_MEMORY_ERROR without memory for it; WI_OS_ERROR if it cannot be read.
 *
 * Threads: one at a time. Cost: a copy of what is new since the last call.
 */
WI_API const char *wi_captured_text(wi_captured *captured);

/** Give back memory and descriptor. The buffer is empty then, as {0}. @raise WI_USAGE_ERROR inside of its block. */
WI_API void wi_captured_free(wi_captured *captured);

/* ---- behind the macros ---- */

WI_API wi_redirect wi__redirect(int fd, int both, wi_redirect_options options);

WI__END_DECLS

#endif
