/* What instances of Python classes have, for types in C. */
#include "instance.h"

PyGetSetDef within_instance_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Adds the members of one type to a state; those of a class in Python are its __slots__. */
static int add_members(PyObject *state, PyObject *self, const PyMemberDef *member) {
    for (; member && member->name; member++) {
        if (member->type != T_OBJECT_EX) continue;
        PyObject *value = *(PyObject **)((char *)self + member->offset);
        if (value && PyDict_SetItemString(state, member->name, value)) return -1;
    }
    return 0;
}

PyObject *within_get_state(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *attributes = ((within_instance *)self)->attributes;
    PyObject *state = attributes ? PyDict_Copy(attributes) : PyDict_New();
    if (!state) return NULL;
    for (PyTypeObject *type = Py_TYPE(self); type; type = type->tp_base) {
        if (!within_state_from(type) || !add_members(state, self, type->tp_members)) continue;
        Py_DECREF(state);
        return NULL;
    }
    return state;
}

PyObject *within_set_state(PyObject *self, PyObject *state) {
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (!PyDict_Check(state))
        return PyErr_Format(PyExc_TypeError, "%s.__setstate__() takes a dict, not %.200s",
                            Py_TYPE(self)->tp_name, Py_TYPE(state)->tp_name);
    while (PyDict_Next(state, &position, &name, &value))
        if (PyObject_SetAttr(self, name, value)) return NULL;
    Py_RETURN_NONE;
}

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
