/*
 * Errors as one object that carries its own traceback, on every Python, and the error being handled.
 *
 * From 3.12 on Python itself keeps a raised error so; before, it keeps a type, a value and a traceback.
 */
#ifndef WITHIN_EXT_RAISED_H
#define WITHIN_EXT_RAISED_H

#include "module.h"

/**
 * Take the raised error away. @return a new reference, never NULL.
 *
 * Python itself returns without an error now and then, when there is no memory: that is an error, too.
 */
static inline PyObject *within_take_raised(void) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "an error without an exception");
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback) PyException_SetTraceback(error, traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return error;
#endif
}

/** Raise an error with the traceback that it has. Steals the reference. */
static inline void within_raise(PyObject *error) {
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

/** Is the raised error this very object? */
static inline int within_is_raised(PyObject *error) {
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *raised = PyErr_GetRaisedException();
    PyErr_SetRaisedException(raised);
    return raised == error;
#else
    PyObject *type, *raised, *traceback;
    PyErr_Fetch(&type, &raised, &traceback);
    PyErr_Restore(type, raised, traceback);
    return raised == error;
#endif
}

/** Raise the StopIteration that returns a value; as an iterator ends with it. */
static inline void within_raise_stop(PyObject *value) {
    if (Py_IsNone(value)) {
        PyErr_SetNone(PyExc_StopIteration);
#if PY_VERSION_HEX >= 0x030E0000 /* made without a context */
    } else {
        PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
        if (stop) PyErr_SetRaisedException(stop);
    }
#else
    } else if (!PyTuple_Check(value) && !PyExceptionInstance_Check(value)) {
        PyErr_SetObject(PyExc_StopIteration, value);
    } else { /* these would be taken for its arguments */
        PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
        if (stop) PyErr_SetObject(PyExc_StopIteration, stop);
        Py_XDECREF(stop);
    }
#endif
}

/** Take the raised StopIteration away: the value that it returns, or NULL if another error is raised, which stays. */
PyObject *within_take_stop(void);

/** Raise what the one to three arguments of a throw() describe. @return 0; -1 if what is wrong with them is raised. */
int within_raise_thrown(PyObject *const *args, Py_ssize_t count);

/**
 * Raise an error again after it was handled by an __exit__, as a with statement does.
 *
 * Up to 3.10 a with statement puts back the traceback that the error had when it was caught.
 */
static inline void within_reraise(PyObject *error, PyObject *traceback) {
    if (PY_VERSION_HEX < 0x030B0000 && traceback) PyException_SetTraceback(error, traceback);
    within_raise(error);
}

/**
 * What an __exit__ made of a block's error that was its function's. Steals the error and its traceback.
 *
 * @param swallowed  1: it ends there; 0: it goes on; -1: another one is raised.
 * @return what the function returns instead: None, or NULL with an error set.
 */
static inline PyObject *within_left(int swallowed, PyObject *error, PyObject *traceback) {
    if (swallowed == 0)
        within_reraise(error, traceback);
    else
        Py_DECREF(error);
    Py_XDECREF(traceback);
    return swallowed > 0 ? Py_NewRef(Py_None) : NULL;
}

/** What was being handled before within_handle. */
typedef struct within_handled {
    _PyErr_StackItem *item;
#if PY_VERSION_HEX < 0x030B0000
    PyObject *type, *traceback;
#endif
    PyObject *error;
} within_handled;

/**
 * Do as an except clause does: errors raised from here on have this one as their context, and
 * sys.exc_info() shows it. Undone by within_handled_restore in the same function.
 *
 * The public PyErr_SetHandledException can't undo itself exactly: it reads from one level of the stack
 * of handled errors and writes to another.
 */
static inline within_handled within_handle(PyObject *error) {
    within_handled saved;
    saved.item = PyThreadState_Get()->exc_info;
    saved.error = saved.item->exc_value;
    saved.item->exc_value = Py_NewRef(error);
#if PY_VERSION_HEX < 0x030B0000
    saved.type = saved.item->exc_type;
    saved.traceback = saved.item->exc_traceback;
    saved.item->exc_type = Py_NewRef(Py_TYPE(error));
    saved.item->exc_traceback = PyException_GetTraceback(error);
#endif
    return saved;
}

static inline void within_handled_restore(within_handled saved) {
    Py_XSETREF(saved.item->exc_value, saved.error);
#if PY_VERSION_HEX < 0x030B0000
    Py_XSETREF(saved.item->exc_type, saved.type);
    Py_XSETREF(saved.item->exc_traceback, saved.traceback);
#endif
}

/** The exception that is being handled, as sys.exception() gives it: a new reference, or NULL. */
PyObject *within_exception_handled(void);

/**
 * Make new_exception look raised while old_exception was being handled, as nested with statements would.
 *
 * Its chain of contexts ends with what was being handled outside, `frame_exception`, since nobody knew of the
 * old one: there the old one is put in. A chain that ends otherwise was made on purpose and stays.
 *
 * @param old_exception, frame_exception  borrowed; NULL for none.
 */
void within_fix_context(PyObject *new_exception, PyObject *old_exception,
                        PyObject *frame_exception);

#endif
