/* __enter__ and __exit__: descriptors that give the manager itself, or plain methods. */
#include "with_methods.h"

#include <structmember.h>

#if PY_VERSION_HEX >= 0x030E0000

static int add(PyObject *module, PyTypeObject *type, const PyMethodDef *method) {
    (void)module;
    PyObject *function = PyDescr_NewMethod(type, (PyMethodDef *)method);
    if (!function) return -1;
    int failed = PyObject_SetAttrString((PyObject *)type, method->ml_name, function);
    Py_DECREF(function);
    return failed;
}

int within_add_with_methods(PyObject *module) {
    (void)module;
    return 0;
}

#else

typedef struct with_method {
    PyObject_HEAD vectorcallfunc call;
    PyTypeObject *owner; /* borrowed: it holds this in its dictionary */
    const PyMethodDef *method;
} with_method;

static PyObject *with_method_get(PyObject *self, PyObject *manager, PyObject *type) {
    const with_method *descriptor = (with_method *)self;
    (void)type;
    if (!manager) return Py_NewRef(self);
    if (Py_TYPE(manager) == descriptor->owner) return Py_NewRef(manager);
    return PyCFunction_NewEx((PyMethodDef *)descriptor->method, manager, NULL);
}

/* Unbound, as exit stacks call it: the manager is the first argument. */
static PyObject *with_method_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                                        PyObject *names) {
    const with_method *descriptor = (with_method *)self;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    const char *name = descriptor->method->ml_name, *owner = descriptor->owner->tp_name;
    PyCFunction function = descriptor->method->ml_meth;
    if (count == 0 || !PyObject_TypeCheck(args[0], descriptor->owner))
        return PyErr_Format(PyExc_TypeError, "descriptor '%s' requires a '%s' object", name, owner);
    if (names && PyTuple_GET_SIZE(names))
        return PyErr_Format(PyExc_TypeError, "%s.%s() takes no keyword arguments", owner, name);
    if (descriptor->method->ml_flags == METH_FASTCALL)
        return ((within_fastcall)(void (*)(void))function)(args[0], args + 1, count - 1);
    if (count == 1) return function(args[0], NULL);
    return PyErr_Format(PyExc_TypeError, "%s.%s() takes no arguments (%zd given)", owner, name,
                        count - 1);
}

static PyObject *get_name(PyObject *self, void *unused) {
    (void)unused;
    return PyUnicode_FromString(((with_method *)self)->method->ml_name);
}

static PyObject *get_qualname(PyObject *self, void *unused) {
    (void)unused;
    const with_method *descriptor = (with_method *)self;
    PyObject *owner = PyObject_GetAttrString((PyObject *)descriptor->owner, "__qualname__");
    if (!owner) return NULL;
    PyObject *name = PyUnicode_FromFormat("%U.%s", owner, descriptor->method->ml_name);
    Py_DECREF(owner);
    return name;
}

static PyObject *get_doc(PyObject *self, void *unused) {
    (void)unused;
    const char *doc = ((with_method *)self)->method->ml_doc;
    return doc ? PyUnicode_FromString(doc) : Py_NewRef(Py_None);
}

static PyObject *get_objclass(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((with_method *)self)->owner);
}

static PyObject *with_method_repr(PyObject *self) {
    const with_method *descriptor = (with_method *)self;
    return PyUnicode_FromFormat("<method '%s' of '%s' objects>", descriptor->method->ml_name,
                                descriptor->owner->tp_name);
}

static void with_method_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyGetSetDef getset[] = {
    {"__name__", get_name, NULL, NULL, NULL}, {"__qualname__", get_qualname, NULL, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},   {"__objclass__", get_objclass, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(with_method, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, with_method_dealloc},
    {Py_tp_descr_get, with_method_get},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, with_method_repr},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec with_method_spec = {
    .name = "within._within.with_method",
    .basicsize = sizeof(with_method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int within_add_with_methods(PyObject *module) {
    return within_hold_type(&within_state_of(module)->with_method,
                            within_add_type(module, &with_method_spec, NULL));
}

static int add(PyObject *module, PyTypeObject *type, const PyMethodDef *method) {
    with_method *descriptor = PyObject_New(with_method, within_state_of(module)->with_method);
    if (!descriptor) return -1;
    descriptor->call = with_method_vectorcall;
    descriptor->owner = type;
    descriptor->method = method;
    int failed = PyObject_SetAttrString((PyObject *)type, method->ml_name, (PyObject *)descriptor);
    Py_DECREF(descriptor);
    return failed;
}

#endif

/*
 * That managers can be called is a means, which subclasses must not inherit: theirs would hide the __call__
 * of a ContextDecorator that stands behind. The slot stays where it is needed, the attribute goes.
 */
static int hide_call(PyTypeObject *type) {
    if (!type->tp_call) return 0;
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *attributes = PyType_GetDict(type);
#else
    PyObject *attributes = Py_XNewRef(type->tp_dict);
#endif
    int failed = !attributes || PyDict_DelItemString(attributes, "__call__");
    Py_XDECREF(attributes);
#if PY_VERSION_HEX >= 0x030E0000
    type->tp_call = NULL;
    type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
#endif
    PyType_Modified(type);
    return failed;
}

PyTypeObject *within_add_manager(PyObject *module, PyType_Spec *spec, PyObject *bases,
                                 const within_with_methods *methods, vectorcallfunc construct) {
    PyTypeObject *type = within_add_type(module, spec, bases);
    if (!type || add(module, type, &methods->enter) || add(module, type, &methods->exit))
        return NULL;
    if (!methods->call && hide_call(type)) return NULL;
    type->tp_vectorcall = construct;
    return type;
}
