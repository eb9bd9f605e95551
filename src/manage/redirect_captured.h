/* A buffer that descriptors lead into: a file without a name, in memory where that can be had. */
#ifndef WITHIN_MANAGE_REDIRECT_CAPTURED_H
#define WITHIN_MANAGE_REDIRECT_CAPTURED_H

#include <within/redirect.h>

/**
 * Make what a buffer keeps its bytes in.
 *
 * @param[out] fd  to be written to, at its end; belongs to the caller.
 * @return 0 or an errno value; then nothing is made.
 */
int wi__capture_new(struct wi__capture **capture, int *fd);
/** NULL does nothing. */
void wi__capture_free(struct wi__capture *capture);

/** Is a block filling it? */
int wi__captured_is_open(const wi_captured *captured);
/** A block begins: what was in it is forgotten, and the capture belongs to it. */
void wi__captured_open(wi_captured *captured, struct wi__capture *capture);
/** The block is over: what it has now is all. */
void wi__captured_close(wi_captured *captured);

#endif
