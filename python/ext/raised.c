/* The exception that is being handled, and contexts. */
#include "raised.h"

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
