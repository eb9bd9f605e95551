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

/* The place of a named argument; -1 with an error set: there is no such parameter, or it has a value. */
static Py_ssize_t place_of(const char *function, const char *const *parameters, PyObject **values,
                           Py_ssize_t most, PyObject *name) {
    Py_ssize_t i = 0;
    while (i < most && PyUnicode_CompareWithASCIIString(name, parameters[i]) != 0) i++;
    if (i < most && !values[i]) return i;
    PyErr_Format(PyExc_TypeError, "%s() got %s argument '%U'", function,
                 i == most ? "an unexpected keyword" : "multiple values for", name);
    return -1;
}

static int are_all(PyObject *const *values, Py_ssize_t most) {
    Py_ssize_t i = 0;
    while (i < most && values[i]) i++;
    return i == most;
}

int within_take_arguments(const char *function, const char *const *parameters, PyObject **values,
                          Py_ssize_t most, PyObject *const *args, Py_ssize_t count,
                          PyObject *names) {
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < most; i++) values[i] = i < count ? args[i] : NULL;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        Py_ssize_t place = place_of(function, parameters, values, most, name);
        if (place < 0) return -1;
        values[place] = args[count + i];
    }
    if (count + named == most && are_all(values, most)) return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd argument%s (%zd given)", function, most,
                 most == 1 ? "" : "s", count + named);
    return -1;
}
