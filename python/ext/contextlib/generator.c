/* A generator as a manager: what enter and exit make of its yields, returns and errors. */
#include "contextlib/generator.h"

#include "entering.h"
#include "raised.h"
#include "unbroken.h"

static bool closes;

bool within_generator_closes(void) { return closes; }

/* next(generator), but without an error object when it returns. */
static PySendResult send_none(PyObject *generator, PyObject **result) {
    if (PyGen_CheckExact(generator)) return PyIter_Send(generator, Py_None, result);
    if (!PyIter_Check(generator)) {
        *result = NULL;
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(generator)->tp_name);
        return PYGEN_ERROR;
    }
    *result = Py_TYPE(generator)->tp_iternext(generator);
    if (*result) return PYGEN_NEXT;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return PYGEN_ERROR;
        PyErr_Clear();
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult advance(PyObject *generator, PyObject **result) {
    unsigned long around = within_unbroken_begin();
    PySendResult sent = send_none(generator, result);
    within_unbroken_end(around);
    return sent;
}

void within_generator_did_not_yield(PyObject *stop) {
    within_handled handled = within_handle(stop);
    PyErr_SetString(PyExc_RuntimeError, "generator didn't yield");
    within_handled_restore(handled);
    PyObject *error = within_take_raised();
    PyException_SetCause(error, NULL);
    within_raise(error);
}

static void did_not_yield(PyObject *returned) {
    within_raise_stop(returned);
    PyObject *stop = within_take_raised();
    within_generator_did_not_yield(stop);
    Py_DECREF(stop);
}

PyObject *within_generator_enter(PyObject *generator) {
    PyObject *result;
    within_entered entered = {generator, within_entering};
    within_entering = &entered;
    PySendResult sent = advance(generator, &result);
    within_entering = entered.around;
    if (sent != PYGEN_RETURN) return result;
    did_not_yield(result);
    Py_DECREF(result);
    return NULL;
}

/* An error of the closing takes the place of the first, which becomes its context. */
static void close_after_error(PyObject *generator) {
    PyObject *error = within_take_raised();
    within_handled handled = within_handle(error);
    PyObject *closed = PyObject_CallMethod(generator, "close", NULL);
    within_handled_restore(handled);
    if (closed)
        within_raise(error);
    else
        Py_DECREF(error);
    Py_XDECREF(closed);
}

void within_generator_did_not_stop(PyObject *generator, const char *message) {
    PyErr_SetString(PyExc_RuntimeError, message);
    if (closes) close_after_error(generator);
}

int within_generator_finish(PyObject *generator) {
    PyObject *result;
    PySendResult sent = advance(generator, &result);
    if (sent == PYGEN_ERROR) return -1;
    Py_DECREF(result);
    if (sent == PYGEN_RETURN) return 0;
    within_generator_did_not_stop(generator, "generator didn't stop");
    return -1;
}

/* The body's own error is on its way out: it shows where it came from, not its detour in here. */
static int pass_on(PyObject *value, PyObject *traceback) {
    if (PY_VERSION_HEX < 0x030B0000) return 0;
    return PyException_SetTraceback(value, traceback);
}

/* A generator may not raise StopIteration: an error that the body did is wrapped (PEP 479). */
static int is_wrapping(PyObject *error, PyObject *value, PyObject *wrapped) {
    if (!PyErr_GivenExceptionMatches(error, PyExc_RuntimeError)) return 0;
    int is_wrapped = PyObject_IsInstance(value, wrapped);
    if (is_wrapped <= 0) return is_wrapped;
    PyObject *cause = PyException_GetCause(error);
    Py_XDECREF(cause);
    return cause == value;
}

int within_generator_thrown(PyObject *value, PyObject *traceback, PyObject *stop,
                            PyObject *wrapped) {
    int returned = PyErr_ExceptionMatches(stop);
    if (returned && !within_is_raised(value)) {
        PyErr_Clear();
        return 1;
    }
    PyObject *error = within_take_raised();
    if (error == value) {
        Py_DECREF(error);
        return returned ? 0 : pass_on(value, traceback);
    }
    int wrapping = is_wrapping(error, value, wrapped);
    if (wrapping == 0)
        within_raise(error);
    else
        Py_DECREF(error);
    return wrapping > 0 ? pass_on(value, traceback) : -1;
}

/* Up to 3.11 contextlib hands throw() all three. */
static PyObject *throw_into(const within_state *state, PyObject *generator, PyObject *type,
                            PyObject *value, PyObject *traceback) {
    PyObject *args[] = {generator, type, value, traceback};
    size_t count = 4;
#if PY_VERSION_HEX >= 0x030C0000
    args[1] = value;
    count = 2;
#endif
    unsigned long around = within_unbroken_begin();
    PyObject *yielded = PyObject_VectorcallMethod(state->names.nthrow, args, count, NULL);
    within_unbroken_end(around);
    return yielded;
}

int within_generator_throw(const within_state *state, PyObject *generator,
                           PyObject *const *raised) {
    PyObject *type = raised[0], *value = raised[1], *traceback = raised[2];
    PyObject *made = Py_IsNone(value) ? PyObject_CallNoArgs(type) : Py_NewRef(value);
    if (!made) return -1;
    PyObject *yielded = throw_into(state, generator, type, made, traceback);
    int swallowed = -1;
    if (yielded)
        within_generator_did_not_stop(generator, "generator didn't stop after throw()");
    else
        swallowed =
            within_generator_thrown(made, traceback, PyExc_StopIteration, PyExc_StopIteration);
    Py_XDECREF(yielded);
    Py_DECREF(made);
    return swallowed;
}

/* A generator that does not stop is closed by the standard library since some 3.11.x: the code tells. */
int within_add_generator(PyObject *module) {
    (void)module;
    PyObject *type = within_import("contextlib", "_GeneratorContextManager");
    PyObject *leave = type ? PyObject_GetAttrString(type, "__exit__") : NULL;
    int found = leave ? 1 : -1;
    if (leave && PyFunction_Check(leave)) {
        PyObject *close = PyUnicode_FromString("close");
        const PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(leave);
        found = close ? PySequence_Contains(code->co_names, close) : -1;
        Py_XDECREF(close);
    }
    closes = found > 0;
    Py_XDECREF(leave);
    Py_XDECREF(type);
    return found < 0 ? -1 : 0;
}
