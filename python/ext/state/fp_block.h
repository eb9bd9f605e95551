/*
 * The core's managers of floating-point arithmetic in objects of Python.
 *
 * While its block is open an object keeps itself: the core's thread has it in a list, and where a generator with an
 * open block is thrown away by another thread the block stays open.
 */
#ifndef WITHIN_EXT_STATE_FP_BLOCK_H
#define WITHIN_EXT_STATE_FP_BLOCK_H

#include "with_methods.h"

#include <within/floating_point.h>

typedef struct within_fp_block {
    within_manager manager;
    union {
        wi_manager any;
        wi_fp_guard guard;
        wi__fp_mode mode;
    } core;
    wi__fp_layer *layer; /* the core's */
    PyObject *numpy;     /* of a guard's open block: what records NumPy's errors, or NULL */
    char is_busy;        /* a thread is entering or leaving it */
} within_fp_block;

/** @return 0, or -1 with an exception set. */
int within_fp_enter(within_fp_block *block);
/**
 * Leave the block, if this thread may.
 *
 * @return 0, or -1 with an exception set. Afterwards the block is closed unless within_fp_is_open says otherwise;
 *         then the caller drops the reference that the object had to itself.
 */
int within_fp_exit(within_fp_block *block, wi_reason reason);
static inline int within_fp_is_open(const within_fp_block *block) {
    return block->layer->thread != NULL;
}

/** The place of a word among the first n; -1 with a TypeError or ValueError set. `function` is for the message. */
int within_fp_choose(const char *function, PyObject *word, const char *const *words, int n);

void within_fp_dealloc(PyObject *self);

#endif
