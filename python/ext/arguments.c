/* The arguments of calls: of types the long way, and by place or by name. */
#include "arguments.h"

static PyObject *keywords_of(PyObject *const *values, PyObject *names) {
    PyObject *keywords = PyDict_New();
    for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(names); i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), values[i])) Py_CLEAR(keywords);
    return keywords;
}

PyObject *within_call_type(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    PyObject *tuple = PyTuple_New(count), *keywords = NULL, *result = NULL;
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    if (!names || (keywords = keywords_of(args + count, names)))
        result = PyType_Type.tp_call(type, tuple, keywords);
    Py_XDECREF(keywords);
    Py_DECREF(tuple);
    return result;
}

PyObject *within_one_argument(const char *function, const char *parameter, PyObject *const *args,
                              Py_ssize_t count, PyObject *names) {
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    if (count + named != 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes 1 argument, %s, but %zd were given", function,
                     parameter, count + named);
        return NULL;
    }
    if (named && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), parameter) != 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function,
                     PyTuple_GET_ITEM(names, 0));
        return NULL;
    }
    return args[0];
}
