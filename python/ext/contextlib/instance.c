/* What instances of Python classes have, for types in C. */
#include "contextlib/instance.h"

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
        if (!within_state_of_subtype(type) || !add_members(state, self, type->tp_members)) continue;
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
