/*
 * A tee: a thread that passes on what a file has grown by.
 *
 *     wi__tee_new(&tee, file, to);     while nothing is written yet
 *     wi__tee_start(tee);
 *     wi__tee_end(tee);                once nobody writes to the file any more who counts
 *
 * Who writes to the file never waits for who reads from the tee, and does not notice when that one has gone.
 */
#ifndef WITHIN_MANAGE_REDIRECT_TEE_H
#define WITHIN_MANAGE_REDIRECT_TEE_H

typedef struct wi__tee wi__tee;

/* How long the end of a tee waits without a byte being taken; in ms. */
extern int wi__tee_patience_ms;

/**
 * Make a tee.
 *
 * @param file  a descriptor of a regular file; borrowed until the end.
 * @param to    the descriptor to pass on to; a duplicate is made.
 * @return 0, or an errno value; then *tee is NULL.
 */
int wi__tee_new(wi__tee **tee, int file, int to);
/** Pass on what is written from now on. @return 0 or an errno value. */
int wi__tee_start(wi__tee *tee);
/** Pass on the rest of what the file has now, and end it. @return 0, or the errno value that says why not all was. */
int wi__tee_end(wi__tee *tee);
/** Free a tee that was not started, or one whose thread is the parent's. NULL does nothing. */
void wi__tee_free(wi__tee *tee);

#endif
