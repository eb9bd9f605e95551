/* The state of an exit stack that is being left. */
#include "contextlib/unwinding.h"
#include "raised.h"

static PyObject *reference(PyObject *object) {
    return Py_IsNone(object) ? NULL : Py_NewRef(object);
}

void within_unwinding_begin(within_unwinding *unwinding, PyObject *const args[3]) {
    *unwinding = (within_unwinding){.received = false};
    for (int i = 0; i < 3; i++) unwinding->details[i] = reference(args[i]);
#if PY_VERSION_HEX >= 0x030C0000
    unwinding->received = unwinding->details[1] != NULL;
#else
    unwinding->received = unwinding->details[0] != NULL;
#endif
}

static void forget(within_unwinding *unwinding) {
    for (int i = 0; i < 3; i++) Py_CLEAR(unwinding->details[i]);
}

static void set(within_unwinding *unwinding, PyObject *exception) {
    forget(unwinding);
    unwinding->details[0] = Py_NewRef(Py_TYPE(exception));
    unwinding->details[1] = exception;
    unwinding->details[2] = PyException_GetTraceback(exception);
}

void within_unwinding_details(within_unwinding *unwinding, PyObject *details[3]) {
#if PY_VERSION_HEX >= 0x030C0000
    /* From 3.12 on the value alone counts, and its traceback is that of the moment. */
    if (unwinding->details[1])
        set(unwinding, Py_NewRef(unwinding->details[1]));
    else
        forget(unwinding);
#endif
    for (int i = 0; i < 3; i++)
        details[i] = unwinding->details[i] ? unwinding->details[i] : Py_None;
}

static void note_raised(within_unwinding *unwinding) {
    PyObject *exception = within_take_raised(), *frame_exception = within_exception_handled();
    within_fix_context(exception, unwinding->details[1], frame_exception);
    Py_XDECREF(frame_exception);
    set(unwinding, exception);
    unwinding->pending = true;
}

void within_unwinding_note_other(within_unwinding *unwinding, PyObject *result) {
    int suppress = result ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    if (suppress < 0) {
        note_raised(unwinding);
    } else if (suppress) {
        unwinding->suppressed = true;
        unwinding->pending = false;
        forget(unwinding);
    }
}

PyObject *within_unwinding_end(within_unwinding *unwinding) {
    PyObject *result = NULL;
    if (unwinding->pending)
        within_raise(Py_NewRef(unwinding->details[1]));
    else
        result = Py_NewRef(unwinding->received && unwinding->suppressed ? Py_True : Py_False);
    within_unwinding_release(unwinding);
    return result;
}

void within_unwinding_release(within_unwinding *unwinding) { forget(unwinding); }

int within_unwinding_traverse(within_unwinding *unwinding, visitproc visit, void *arg) {
    for (int i = 0; i < 3; i++) Py_VISIT(unwinding->details[i]);
    return 0;
}
