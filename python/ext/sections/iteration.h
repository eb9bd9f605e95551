/*
 * One loop that Profiler.iterate measures: a section for the passes, another for the waiting.
 *
 * A pass ends when the next item is asked for, or when the loop drops its iterator: at break, return or an
 * exception. A section that cannot be opened, for lack of memory, leaves the loop as it is.
 */
#ifndef WITHIN_EXT_ITERATION_H
#define WITHIN_EXT_ITERATION_H

#include "sections/timed.h"
#include "sections/tree.h"

typedef struct within_iteration {
    PyObject_HEAD PyObject *source; /* the iterator, asynchronous or not; NULL: it has ended */
    within_tree *tree;
    within_timed pass, wait;
    char waiting; /* the next item is being waited for */
} within_iteration;

/** A new loop over `iterable`, for `async for` if it is asynchronous; NULL with an error set. */
PyObject *within_iteration_new(within_state *state, within_tree *tree, PyObject *name,
                               PyObject *iterable);

typedef enum within_arrival { WITHIN_ITEM, WITHIN_END, WITHIN_ERROR } within_arrival;

/** The open pass ends, the waiting begins. -1 with an error set if it has begun already. */
int within_iteration_wait(within_iteration *self);
/** The waiting ends; if there is an item, a pass begins. An error that is set stays set. */
void within_iteration_arrived(within_iteration *self, within_arrival arrival);

/** What __anext__ of an asynchronous loop gives. */
PyObject *within_iteration_anext(PyObject *iteration);

#endif
