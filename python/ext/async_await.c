/* The parts of Python's `await`: the iterator of an awaitable, and errors thrown into it. */
#include "async_step.h"

#include "raised.h"

#if PY_VERSION_HEX >= 0x030E0000
#define CANNOT_AWAIT "'%.100s' object can't be awaited"
#else
#define CANNOT_AWAIT "object %.100s can't be used in 'await' expression"
#endif

PyObject *within_async_iterator(PyObject *awaitable) {
    if (!awaitable || PyCoro_CheckExact(awaitable) || PyGen_CheckExact(awaitable)) return awaitable;
    const PyAsyncMethods *async = Py_TYPE(awaitable)->tp_as_async;
    PyObject *iterator = NULL;
    if (!async || !async->am_await)
        PyErr_Format(PyExc_TypeError, CANNOT_AWAIT, Py_TYPE(awaitable)->tp_name);
    else
        iterator = async->am_await(awaitable);
    Py_DECREF(awaitable);
    if (!iterator || PyIter_Check(iterator) || PyCoro_CheckExact(iterator)) return iterator;
    PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'",
                 Py_TYPE(iterator)->tp_name);
    Py_DECREF(iterator);
    return NULL;
}

/* The value of a raised StopIteration, which is taken away. */
static PyObject *returned_value(void) {
    PyObject *stop = within_take_raised();
    PyObject *value = Py_NewRef(((PyStopIterationObject *)stop)->value);
    Py_DECREF(stop);
    return value;
}

PySendResult within_async_throw(PyObject *iterator, PyObject **args, Py_ssize_t count,
                                PyObject **result) {
    *result = NULL;
    PyObject *throw = PyObject_GetAttrString(iterator, "throw");
    if (throw) {
        *result =
            PyObject_Vectorcall(throw, args, (size_t)count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        Py_DECREF(throw);
        if (*result) return PYGEN_NEXT;
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return PYGEN_ERROR;
        *result = returned_value();
        return PYGEN_RETURN;
    }
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        within_async_raise(args, count);
    }
    return PYGEN_ERROR;
}

int within_async_close(PyObject *iterator) {
    PyObject *close = PyObject_GetAttrString(iterator, "close");
    if (!close) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    PyObject *closed = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    Py_XDECREF(closed);
    return closed ? 0 : -1;
}

void within_async_raise(PyObject *const *args, Py_ssize_t count) {
    PyObject *type = args[0], *value = count > 1 && !Py_IsNone(args[1]) ? args[1] : NULL;
    PyObject *traceback = count > 2 && !Py_IsNone(args[2]) ? args[2] : NULL;
    if (traceback && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
    } else if (PyExceptionClass_Check(type)) {
        PyErr_Restore(Py_NewRef(type), Py_XNewRef(value), Py_XNewRef(traceback));
        within_raise(within_take_raised());
    } else if (!PyExceptionInstance_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, not %s",
                     Py_TYPE(type)->tp_name);
    } else if (value) {
        PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
    } else {
        if (traceback) PyException_SetTraceback(type, traceback);
        within_raise(Py_NewRef(type));
    }
}

PyObject *within_async_result(PySendResult sent, PyObject *result) {
    if (sent == PYGEN_NEXT) return result;
    if (sent == PYGEN_RETURN) {
        within_raise_stop(result);
        Py_DECREF(result);
    }
    return NULL;
}
