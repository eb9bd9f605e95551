/* Special methods: the two ways to find them; CPython's private look-up in types is used here only. */
#include "contextlib/special_method.h"

static PyObject *look_up(PyTypeObject *type, PyObject *name) {
#if PY_VERSION_HEX >= 0x030D0000
    return _PyType_LookupRef(type, name);
#else
    return Py_XNewRef(_PyType_Lookup(type, name));
#endif
}

/* Methods stay unbound, which costs nothing. */
static PyObject *bind(PyObject *descriptor, PyObject *object, int *bound) {
    descrgetfunc get = Py_TYPE(descriptor)->tp_descr_get;
    *bound = !PyType_HasFeature(Py_TYPE(descriptor), Py_TPFLAGS_METHOD_DESCRIPTOR);
    if (!*bound || !get) return Py_NewRef(descriptor);
    return get(descriptor, object, (PyObject *)Py_TYPE(object));
}

int within_find_special(PyObject *object, PyObject *name, within_special_method *method) {
    PyObject *descriptor = look_up(Py_TYPE(object), name);
    if (!descriptor) return PyErr_Occurred() ? -1 : 0;
    method->function = bind(descriptor, object, &method->bound);
    Py_DECREF(descriptor);
    return method->function ? 1 : -1;
}

#if PY_VERSION_HEX >= 0x030F0000

int within_find_of_type(PyObject *object, PyObject *name, within_special_method *method) {
    int found = within_find_special(object, name, method);
    if (found == 0) PyErr_SetObject(PyExc_AttributeError, name);
    return found;
}

#else

static PyObject *type_attribute(PyTypeObject *type, PyObject *name) {
    if (!Py_IS_TYPE(type, &PyType_Type)) return PyObject_GetAttr((PyObject *)type, name);
    PyObject *found = look_up(type, name);
    if (found && PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR)) return found;
    Py_XDECREF(found);
    return PyObject_GetAttr((PyObject *)type, name);
}

int within_find_of_type(PyObject *object, PyObject *name, within_special_method *method) {
    method->bound = 0;
    method->function = type_attribute(Py_TYPE(object), name);
    if (method->function) return 1;
    return PyErr_ExceptionMatches(PyExc_AttributeError) ? 0 : -1;
}

#endif

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
    int found = within_find_of_type(manager, enter_name, enter_method);
    if (found > 0) {
        found = within_find_of_type(manager, exit_name, exit_method);
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
    if (within_find_of_type(manager, exit_name, exit_method) <= 0) return 0;
    if (within_find_of_type(manager, enter_name, enter_method) > 0) return 1;
    Py_DECREF(exit_method->function);
    return 0;
}

#endif
