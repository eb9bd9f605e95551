/* Special methods, found as statements find them: on the type, and bound only if need be. */
#include "special.h"

int within_special_find(within_special *special, PyObject *object, PyObject *name) {
    PyTypeObject *type = Py_TYPE(object);
    special->self = NULL;
    special->method = _PyType_Lookup(type, name);
    if (!special->method) return 0;
    PyTypeObject *kind = Py_TYPE(special->method);
    if (PyType_HasFeature(kind, Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        special->self = object;
        Py_INCREF(special->method);
    } else if (kind->tp_descr_get) {
        special->method = kind->tp_descr_get(special->method, object, (PyObject *)type);
    } else {
        Py_INCREF(special->method);
    }
    return special->method ? 1 : -1;
}

PyObject *within_special_call(const within_special *special, PyObject **args, size_t count) {
    if (!special->self)
        return PyObject_Vectorcall(special->method, args + 1,
                                   count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    args[0] = special->self;
    return PyObject_Vectorcall(special->method, args, count + 1, NULL);
}
