/* What throw() raises, what iterators return, the exception that is being handled, and contexts. */
#include "raised.h"

PyObject *within_take_stop(void) {
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return NULL;
    PyObject *stop = within_take_raised();
    PyObject *value = Py_NewRef(((PyStopIterationObject *)stop)->value);
    Py_DECREF(stop);
    return value;
}

static int refuse(const char *text) {
    PyErr_SetString(PyExc_TypeError, text);
    return -1;
}

static int raise_instance(PyObject *error, PyObject *value, PyObject *traceback) {
    if (value) return refuse("instance exception may not have a separate value");
    if (traceback) PyException_SetTraceback(error, traceback);
    within_raise(Py_NewRef(error));
    return 0;
}

int within_raise_thrown(PyObject *const *args, Py_ssize_t count) {
    PyObject *type = args[0], *value = count > 1 && !Py_IsNone(args[1]) ? args[1] : NULL;
    PyObject *traceback = count > 2 && !Py_IsNone(args[2]) ? args[2] : NULL;
    if (traceback && !PyTraceBack_Check(traceback))
        return refuse("throw() third argument must be a traceback object");
    if (PyExceptionInstance_Check(type)) return raise_instance(type, value, traceback);
    if (PyExceptionClass_Check(type)) {
        PyErr_Restore(Py_NewRef(type), Py_XNewRef(value), Py_XNewRef(traceback));
        within_raise(within_take_raised());
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "exceptions must be classes or instances deriving from BaseException, not %s",
                 Py_TYPE(type)->tp_name);
    return -1;
}

PyObject *within_exception_handled(void) {
#if PY_VERSION_HEX >= 0x030B0000
    PyObject *exception = PyErr_GetHandledException();
#else
    PyObject *type, *exception, *traceback;
    PyErr_GetExcInfo(&type, &exception, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
#endif
    if (exception && Py_IsNone(exception)) Py_CLEAR(exception);
    return exception;
}

/* The context, a borrowed reference that lives as long as nobody changes it; or NULL. */
static PyObject *context_of(PyObject *exception) {
    PyObject *context = PyException_GetContext(exception);
    Py_XDECREF(context);
    return context;
}

void within_fix_context(PyObject *new_exception, PyObject *old_exception,
                        PyObject *frame_exception) {
    PyObject *end = new_exception, *slow = new_exception;
    for (unsigned steps = 1;; steps++) {
        PyObject *context = context_of(end);
        if (!context || context == old_exception) return;
        if (context == frame_exception) break;
        end = context;
        /* Programs can close the chain to a ring. */
        if (steps % 2 == 0) slow = context_of(slow);
        if (slow == end) return;
    }
    PyException_SetContext(end, Py_XNewRef(old_exception));
}
