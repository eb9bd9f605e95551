/* Calls of the core, and its errors as Python's exceptions. */
#include "core_call.h"

#include <within/interrupts.h>

#include "core_calls.h"
#include "raised.h"

static within_type_of type_elsewhere;

static PyObject *exception_type(const wi_error *error) {
    if (wi_error_is(error, WI_OS_ERROR)) return PyExc_OSError;
    if (wi_error_is(error, WI_VALUE_ERROR)) return PyExc_ValueError;
    if (wi_error_is(error, WI_DATA_ERROR)) return within_last.state->data_error;
    if (wi_error_is(error, WI_LOOKUP_ERROR)) return PyExc_LookupError;
    if (wi_error_is(error, WI_MEMORY_ERROR)) return PyExc_MemoryError;
    if (wi_error_is(error, WI_FLOATING_POINT_ERROR)) return PyExc_FloatingPointError;
    if (wi_error_is(error, WI_ARITHMETIC_ERROR)) return PyExc_ArithmeticError;
    return PyExc_RuntimeError;
}

/* With an errno value Python itself chooses the subclass of OSError. */
static PyObject *exception_alone(const wi_error *error) {
    PyObject *known = type_elsewhere ? type_elsewhere(error) : NULL, *exception = NULL;
    PyObject *type = known ? known : exception_type(error);
    PyObject *text = PyUnicode_DecodeFSDefault(wi_error_message(error));
    if (text && type == PyExc_OSError && wi_error_errno(error))
        exception = PyObject_CallFunction(type, "iO", wi_error_errno(error), text);
    else if (text)
        exception = PyObject_CallOneArg(type, text);
    Py_XDECREF(text);
    Py_XDECREF(known);
    return exception;
}

static PyObject *exception_of(const wi_error *error) {
    PyObject *exception = exception_alone(error);
    const wi_error *cause = wi_error_cause(error), *context = wi_error_context(error);
    PyObject *behind =
        exception && (cause || context) ? exception_of(cause ? cause : context) : NULL;
    if (behind && cause)
        PyException_SetCause(exception, behind);
    else if (behind)
        PyException_SetContext(exception, behind);
    return exception;
}

/* What is being handled in Python stands behind all that the core had behind the error. */
static void add_handled(PyObject *exception) {
    PyObject *handled = within_exception_handled(), *context;
    if (!handled) return;
    while ((context = PyException_GetContext(exception))) {
        Py_DECREF(context); /* the exception holds it */
        exception = context;
    }
    PyException_SetContext(exception, handled);
}

/* What comes for a block of Python's is raised by Python, behind the call: many a call is an exit. */
static int call_uninterrupted(void (*fn)(void *arg), void *arg, wi_error **error) {
    wi__uninterrupted_protocol.enter(NULL);
    int returned = wi_call(fn, arg, error);
    wi__uninterrupted_protocol.exit(NULL, WI_END, NULL);
    return returned;
}

int within_raise_error(wi_error *error) {
    PyObject *exception = exception_of(error);
    wi_error_free(error);
    if (exception) {
        add_handled(exception);
        within_raise(exception);
    }
    return -1;
}

int within_call(void (*fn)(void *arg), void *arg) {
    wi_error *error = NULL;
    int returned;
    Py_BEGIN_ALLOW_THREADS returned = call_uninterrupted(fn, arg, &error);
    Py_END_ALLOW_THREADS return returned ? 0 : within_raise_error(error);
}

int within_call_with_gil(void (*fn)(void *arg), void *arg) {
    wi_error *error = NULL;
    return call_uninterrupted(fn, arg, &error) ? 0 : within_raise_error(error);
}

PyDoc_STRVAR(data_error_doc, "What was read is damaged, or not what it should be.");

static void tell_type_of(within_type_of type_of) { type_elsewhere = type_of; }

static const within_core_calls core_calls = {
    within_call,
    within_call_with_gil,
    within_raise_error,
    tell_type_of,
};

static int add_capsule(PyObject *module) {
    PyObject *capsule = PyCapsule_New((void *)&core_calls, WITHIN_CORE_CALLS, NULL);
    int failed = !capsule || PyModule_AddObjectRef(module, "core_calls", capsule);
    Py_XDECREF(capsule);
    return failed ? -1 : 0;
}

int within_add_core_call(PyObject *module) {
    within_state *state = within_state_of(module);
    PyObject *type =
        PyErr_NewExceptionWithDoc("within.DataError", data_error_doc, PyExc_ValueError, NULL);
    if (within_hold(&state->data_error, type) || add_capsule(module)) return -1;
    return PyModule_AddObjectRef(module, "DataError", type);
}
