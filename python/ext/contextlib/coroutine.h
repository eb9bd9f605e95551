/*
 * Coroutines whose body is a C function, called once at the start and once after each thing that it awaited.
 *
 * They are awaited, sent to, thrown into and closed as those of `async def` are, nothing runs before the first
 * send, and one that nobody awaited is warned of.
 */
#ifndef WITHIN_EXT_COROUTINE_H
#define WITHIN_EXT_COROUTINE_H

#include "contextlib/unwinding.h"
#include "module.h"

typedef struct within_coroutine within_coroutine;

/**
 * The body, from one await to the next.
 *
 * @param value  what was awaited gave, a reference that this takes; NULL at the start, and NULL with an error
 *               set if what was awaited, or the await itself, raised.
 * @return PYGEN_NEXT: await *result next; PYGEN_RETURN: done with *result; PYGEN_ERROR: an error is set.
 *         The reference in *result is the coroutine's then.
 */
typedef PySendResult (*within_step)(within_coroutine *coroutine, PyObject *value,
                                    PyObject **result);

struct within_coroutine {
    PyObject_HEAD within_step step; /* NULL once it is over */
    const char *name;
    PyObject *owner;    /* the manager whose coroutine this is */
    PyObject *awaiting; /* an iterator; or NULL */
    bool started, running, finalized;
    bool lent; /* its result may still be in the module's StopIteration */
    /* For the body: zero at the start. */
    int phase;
    PyObject *first, *second;
    PyObject *entering; /* the generator that it enters */
    PyObject *handled;  /* the error that is being handled while it awaits */
    within_unwinding unwinding;
};

/** Make a coroutine of a manager of this module. `name`, of static life time: "nullcontext.__aenter__". */
PyObject *within_coroutine_new(PyObject *owner, within_step step, const char *name);

/** The same for an __aexit__, whose arguments go into `unwinding`. */
PyObject *within_coroutine_of_exit(PyObject *owner, within_step step, const char *name,
                                   PyObject *const args[3]);

/** The end of a body that returns None, whatever that gave which it awaited last. */
PySendResult within_coroutine_end(PyObject *value, PyObject **result);

#endif
