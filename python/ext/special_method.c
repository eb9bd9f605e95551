/* Special methods of any object's type; what is private in CPython's interface is used here only. */
#include "special_method.h"

#if PY_VERSION_HEX >= 0x030F0000

/* 3.15 binds as a with statement does: descriptors of any kind work. */
static PyObject *bind(PyObject *descriptor, PyObject *object, int *bound) {
    descrgetfunc get = Py_TYPE(descriptor)->tp_descr_get;
    *bound = !PyType_HasFeature(Py_TYPE(descriptor), Py_TPFLAGS_METHOD_DESCRIPTOR);
    if (!*bound || !get) return Py_NewRef(descriptor);
    return get(descriptor, object, (PyObject *)Py_TYPE(object));
}

static PyObject *find(PyObject *object, PyObject *name, int *bound) {
    PyObject *descriptor = _PyType_LookupRef(Py_TYPE(object), name);
    if (!descriptor) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, name);
        return NULL;
    }
    PyObject *method = bind(descriptor, object, bound);
    Py_DECREF(descriptor);
    return method;
}

#else

/* Before, it is type(object).name, which a static method, a metaclass or a descriptor can make anything. */
static PyObject *find(PyObject *object, PyObject *name, int *bound) {
    PyTypeObject *type = Py_TYPE(object);
    *bound = 0;
#ifndef Py_GIL_DISABLED
    if (Py_IS_TYPE(type, &PyType_Type)) {
        PyObject *found = _PyType_Lookup(type, name);
        if (found && PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR))
            return Py_NewRef(found);
    }
#endif
    return PyObject_GetAttr((PyObject *)type, name);
}

#endif

int within_find_special(PyObject *object, PyObject *name, within_special_method *method) {
    method->function = find(object, name, &method->bound);
    if (method->function) return 1;
    return PyErr_ExceptionMatches(PyExc_AttributeError) ? 0 : -1;
}

#if PY_VERSION_HEX >= 0x030B0000

static void complain(PyObject *manager, const char *kind) {
    PyErr_Clear();
    PyObject *type = (PyObject *)Py_TYPE(manager);
    PyObject *module = PyObject_GetAttrString(type, "__module__");
    PyObject *name = module ? PyObject_GetAttrString(type, "__qualname__") : NULL;
    if (name)
        PyErr_Format(PyExc_TypeError, "'%S.%S' object does not support the %s protocol", module,
                     name, kind);
    Py_XDECREF(name);
    Py_XDECREF(module);
}

int within_find_pair(PyObject *manager, PyObject *enter_name, PyObject *exit_name, const char *kind,
                     within_special_method *enter_method, within_special_method *exit_method) {
    int found = within_find_special(manager, enter_name, enter_method);
    if (found > 0) {
        found = within_find_special(manager, exit_name, exit_method);
        if (found <= 0) Py_DECREF(enter_method->function);
    }
    if (found == 0) complain(manager, kind);
    return found > 0;
}

#else

/* 3.10 shows the AttributeError itself. */
int within_find_pair(PyObject *manager, PyObject *enter_name, PyObject *exit_name, const char *kind,
                     within_special_method *enter_method, within_special_method *exit_method) {
    (void)kind;
    if (within_find_special(manager, exit_name, exit_method) <= 0) return 0;
    if (within_find_special(manager, enter_name, enter_method) > 0) return 1;
    Py_DECREF(exit_method->function);
    return 0;
}

#endif
