/* An asynchronous generator as a manager: what __aenter__ and __aexit__ await of it, and make of that. */
#include "contextlib/async_generator.h"

#include "contextlib/generator.h"
#include "contextlib/generator_manager.h"
#include "raised.h"

typedef enum phase {
    BEGIN,
    ENTERING,
    FINISHING, /* the body has ended: the generator should, too */
    THROWING,  /* the body's error has been raised in the generator */
    CLOSING,   /* it did not stop; `handled` says so, when it is closed */
} phase;

static PyObject *generator_of(const within_coroutine *coroutine) {
    return within_generator_manager_generator((generator_manager *)coroutine->owner);
}

/* Await the next yield or the end of the generator. Steals it. */
static PySendResult await_next(within_coroutine *coroutine, PyObject *gen, phase next,
                               PyObject **result) {
    if (!gen) return PYGEN_ERROR;
    const PyAsyncMethods *async = Py_TYPE(gen)->tp_as_async;
    if (async && async->am_anext)
        *result = async->am_anext(gen);
    else
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator",
                     Py_TYPE(gen)->tp_name);
    Py_DECREF(gen);
    coroutine->phase = (int)next;
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

PySendResult within_async_generator_enter(within_coroutine *coroutine, PyObject *value,
                                          PyObject **result) {
    if (coroutine->phase == BEGIN) {
        if (within_generator_manager_forget_call((generator_manager *)coroutine->owner))
            return PYGEN_ERROR;
        coroutine->entering = generator_of(coroutine);
        return await_next(coroutine, Py_XNewRef(coroutine->entering), ENTERING, result);
    }
    *result = value;
    if (value) return PYGEN_RETURN;
    if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyObject *stop = within_take_raised();
        within_generator_did_not_yield(stop);
        Py_DECREF(stop);
    }
    return PYGEN_ERROR;
}

/* ---- leaving ---- */

/* Up to 3.11 contextlib hands athrow() all three. */
static PyObject *throw_into(const within_state *state, PyObject *gen, PyObject *const *details) {
    PyObject *args[] = {gen, details[0], details[1], details[2] ? details[2] : Py_None};
    size_t count = 4;
#if PY_VERSION_HEX >= 0x030C0000
    args[1] = details[1];
    count = 2;
#endif
    return PyObject_VectorcallMethod(state->names.nathrow, args, count, NULL);
}

static PySendResult await_throw(within_coroutine *coroutine, PyObject **result) {
    PyObject **details = coroutine->unwinding.details;
    if (!details[1] && !(details[1] = PyObject_CallNoArgs(details[0]))) return PYGEN_ERROR;
    PyObject *gen = generator_of(coroutine);
    if (!gen) return PYGEN_ERROR;
    *result = throw_into(within_state_of_type(Py_TYPE(coroutine)), gen, details);
    Py_DECREF(gen);
    coroutine->phase = THROWING;
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

/* One more yield. The generator is closed before the error goes its way, if contextlib does so. */
static PySendResult did_not_stop(within_coroutine *coroutine, const char *message,
                                 PyObject **result) {
    PyErr_SetString(PyExc_RuntimeError, message);
    if (!within_generator_closes()) return PYGEN_ERROR;
    coroutine->handled = within_take_raised();
    coroutine->phase = CLOSING;
    PyObject *gen = generator_of(coroutine);
    within_handled handled = within_handle(coroutine->handled);
    *result = gen ? PyObject_CallMethod(gen, "aclose", NULL) : NULL;
    within_handled_restore(handled);
    Py_XDECREF(gen);
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

static PySendResult yielded(within_coroutine *coroutine, PyObject **result) {
    switch (coroutine->phase) {
    case FINISHING: return did_not_stop(coroutine, "generator didn't stop", result);
    case THROWING: return did_not_stop(coroutine, "generator didn't stop after athrow()", result);
    default: within_raise(Py_NewRef(coroutine->handled)); return PYGEN_ERROR;
    }
}

/* 1: the body's error is swallowed; 0: it goes on; -1: another one is raised. */
static int verdict_on(const within_coroutine *coroutine) {
    const within_state *state = within_state_of_type(Py_TYPE(coroutine));
    PyObject *const *details = coroutine->unwinding.details;
    if (coroutine->phase == THROWING)
        return within_generator_thrown(details[1], details[2] ? details[2] : Py_None,
                                       PyExc_StopAsyncIteration, state->stops);
    if (coroutine->phase == CLOSING || !PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) return -1;
    PyErr_Clear();
    return 0;
}

PySendResult within_async_generator_exit(within_coroutine *coroutine, PyObject *value,
                                         PyObject **result) {
    if (coroutine->phase == BEGIN)
        return coroutine->unwinding.details[0]
                   ? await_throw(coroutine, result)
                   : await_next(coroutine, generator_of(coroutine), FINISHING, result);
    if (value) {
        Py_DECREF(value);
        return yielded(coroutine, result);
    }
    int swallowed = verdict_on(coroutine);
    if (swallowed < 0) return PYGEN_ERROR;
    *result = Py_NewRef(swallowed ? Py_True : Py_False);
    return PYGEN_RETURN;
}
