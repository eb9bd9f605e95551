/* What an await iterates over, found as the interpreter finds it. */
#include "awaitable.h"

#if PY_VERSION_HEX >= 0x030E0000
#define CANNOT_AWAIT "'%.100s' object can't be awaited"
#else
#define CANNOT_AWAIT "object %.100s can't be used in 'await' expression"
#endif

/* A coroutine that another one waits for already: its cr_await is set. Nobody does if nobody else holds it. */
static int check_free(PyObject *coroutine) {
    if (Py_REFCNT(coroutine) == 1) return 0;
    PyObject *awaited = PyObject_GetAttrString(coroutine, "cr_await");
    int is_free = awaited && Py_IsNone(awaited);
    Py_XDECREF(awaited);
    if (awaited && !is_free)
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
    return is_free ? 0 : -1;
}

/* Generators that types.coroutine marked can be awaited though they have no __await__. */
static int is_marked_generator(PyObject *object) {
    if (!PyGen_CheckExact(object)) return 0;
    PyObject *code = PyObject_GetAttrString(object, "gi_code");
    int marked = code && ((PyCodeObject *)code)->co_flags & CO_ITERABLE_COROUTINE;
    Py_XDECREF(code);
    return marked;
}

static int check_iterator(PyObject *iterator) {
    if (PyCoro_CheckExact(iterator))
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
    else if (!PyIter_Check(iterator))
        PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'",
                     Py_TYPE(iterator)->tp_name);
    else
        return 0;
    return -1;
}

static PyObject *call_await(PyObject *object) {
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    if (!methods || !methods->am_await)
        return PyErr_Format(PyExc_TypeError, CANNOT_AWAIT, Py_TYPE(object)->tp_name);
    PyObject *iterator = methods->am_await(object);
    if (iterator && check_iterator(iterator)) Py_CLEAR(iterator);
    return iterator;
}

PyObject *within_awaitable_iterator(PyObject *awaitable) {
    if (!awaitable || is_marked_generator(awaitable)) return awaitable;
    if (PyCoro_CheckExact(awaitable)) {
        if (check_free(awaitable)) Py_CLEAR(awaitable);
        return awaitable;
    }
    PyObject *iterator = call_await(awaitable);
    Py_DECREF(awaitable);
    return iterator;
}
