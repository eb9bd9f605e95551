/*
 * The state of an exit stack that is being left, one exit after another: which exception is on its way.
 *
 * Exits see what they would see in nested with statements: the exception of the body, or a newer one that an
 * exit raised, whose context it then is; or none, once an exit suppressed it.
 */
#ifndef WITHIN_EXT_UNWINDING_H
#define WITHIN_EXT_UNWINDING_H

#include "contextlib/exits.h"

typedef struct within_unwinding {
    PyObject *details[3]; /* type, value, traceback: owned; NULL for None */
    bool received;        /* the body raised */
    bool suppressed;
    bool pending; /* what is on its way was raised by an exit */
} within_unwinding;

/** Begin, with the three arguments of __exit__. */
void within_unwinding_begin(within_unwinding *unwinding, PyObject *const args[3]);

/** The arguments of the next exit: borrowed references. */
void within_unwinding_details(within_unwinding *unwinding, PyObject *details[3]);

/** Take in what an exit returned (a reference that this takes), or with NULL the exception that it raised. */
void within_unwinding_note_other(within_unwinding *unwinding, PyObject *result);
static inline void within_unwinding_note(within_unwinding *unwinding, PyObject *result) {
    if (result && Py_IsNone(result))
        Py_DECREF(result);
    else
        within_unwinding_note_other(unwinding, result);
}

/** What __exit__ returns, or NULL with the exception raised; everything held is released. */
PyObject *within_unwinding_end(within_unwinding *unwinding);

void within_unwinding_release(within_unwinding *unwinding);
int within_unwinding_traverse(within_unwinding *unwinding, visitproc visit, void *arg);

#endif
