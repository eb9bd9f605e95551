/* What an await iterates over, which CPython has no public function for. */
#include "awaitable.h"

/* A coroutine that another one waits for already: its cr_await is set. */
static int check_free(within_state *state, PyObject *coroutine) {
    PyObject *awaited = PyObject_GetAttr(coroutine, state->names.ncr_await);
    int free = awaited && Py_IsNone(awaited);
    Py_XDECREF(awaited);
    if (awaited && !free) PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
    return free ? 0 : -1;
}

/* Generators that types.coroutine marked can be awaited though they have no __await__. */
static int is_marked_generator(PyObject *object) {
    if (!PyGen_CheckExact(object)) return 0;
    PyObject *code = PyObject_GetAttrString(object, "gi_code");
    int marked = code && ((PyCodeObject *)code)->co_flags & CO_ITERABLE_COROUTINE;
    Py_XDECREF(code);
    return marked;
}

PyObject *within_awaitable_iterator(within_state *state, PyObject *object) {
    if (PyCoro_CheckExact(object)) {
        int fresh = Py_REFCNT(object) == 1; /* nobody else holds it, or waits for it */
        return !fresh && check_free(state, object) ? NULL : Py_NewRef(object);
    }
    if (is_marked_generator(object)) return Py_NewRef(object);
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    if (!methods || !methods->am_await)
        return PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                            Py_TYPE(object)->tp_name);
    PyObject *iterator = methods->am_await(object);
    if (iterator && (PyCoro_CheckExact(iterator) || !PyIter_Check(iterator))) {
        PyErr_Format(PyExc_TypeError, "__await__() returned %.100s, not an iterator",
                     Py_TYPE(iterator)->tp_name);
        Py_CLEAR(iterator);
    }
    return iterator;
}
