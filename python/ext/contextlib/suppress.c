/*
 * contextlib.suppress: a block that some exceptions only end.
 *
 * Its argument is one class, the usual case, or else a tuple.
 */
#include "contextlib/small_manager.h"

/* The argument as a tuple, a new reference. */
static PyObject *tuple_of(PyObject *self) {
    PyObject *argument = within_small_manager_of(self)->argument;
    if (!within_small_manager_need(self, argument, "_exceptions")) return NULL;
    return PyTuple_CheckExact(argument) ? Py_NewRef(argument) : PyTuple_Pack(1, argument);
}

static PyObject *suppress_enter(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    Py_RETURN_NONE;
}

#if PY_VERSION_HEX >= 0x030C0000
/* What is left of a group goes on; what was suppressed stays its context, for with statements handle it. */
static PyObject *raise_rest(PyObject *pair) {
    if (PySequence_Fast_GET_SIZE(pair) != 2)
        return PyErr_Format(PyExc_ValueError, "split() of an exception group did not give a pair");
    PyObject *rest = PySequence_Fast_GET_ITEM(pair, 1);
    if (Py_IsNone(rest))
        Py_RETURN_TRUE;
    else if (PyExceptionInstance_Check(rest))
        PyErr_SetObject((PyObject *)Py_TYPE(rest), rest);
    else
        PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
    return NULL;
}

static PyObject *suppress_in_group(PyObject *self, PyObject *group) {
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *exceptions = state ? tuple_of(self) : NULL;
    if (!exceptions) return NULL;
    PyObject *split = PyObject_CallMethodOneArg(group, state->names.nsplit, exceptions);
    Py_DECREF(exceptions);
    if (!split) return NULL;
    PyObject *pair = PySequence_Fast(split, "split() of an exception group did not give a pair");
    Py_DECREF(split);
    if (!pair) return NULL;
    PyObject *result = raise_rest(pair);
    Py_DECREF(pair);
    return result;
}
#endif

/* A subclass test as issubclass does it, hooks of metaclasses included: not that of except clauses. */
static PyObject *suppress_raised(PyObject *self, PyObject *const *args) {
    PyObject *exceptions = within_small_manager_of(self)->argument;
    if (!within_small_manager_need(self, exceptions, "_exceptions")) return NULL;
    Py_INCREF(exceptions);
    int known = PyObject_IsSubclass(args[0], exceptions);
    Py_DECREF(exceptions);
    if (known < 0) return NULL;
    if (known) Py_RETURN_TRUE;
#if PY_VERSION_HEX >= 0x030C0000
    int group = PyObject_IsSubclass(args[0], PyExc_BaseExceptionGroup);
    if (group) return group < 0 ? NULL : suppress_in_group(self, args[1]);
#endif
    Py_RETURN_FALSE;
}

static PyObject *suppress_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3)
        return PyErr_Format(PyExc_TypeError,
                            "suppress.__exit__() takes 3 arguments, but %zd were given", count);
    if (!Py_IsNone(args[0])) return suppress_raised(self, args);
#if PY_VERSION_HEX >= 0x030C0000
    Py_RETURN_NONE;
#else
    Py_RETURN_FALSE;
#endif
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", suppress_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", WITHIN_FASTCALL(suppress_exit), NULL},
};

WITHIN_SMALL_MANAGER(suppress)

static PyObject *suppress_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                     PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (names && PyTuple_GET_SIZE(names)) return within_call_type(type, args, nargsf, names);
    if (count == 1 && !PyTuple_Check(args[0]))
        return within_small_manager_make((PyTypeObject *)type, suppress_call, args[0], NULL);
    PyObject *exceptions = PyTuple_New(count);
    if (!exceptions) return NULL;
    for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(exceptions, i, Py_NewRef(args[i]));
    PyObject *self =
        within_small_manager_make((PyTypeObject *)type, suppress_call, exceptions, NULL);
    Py_DECREF(exceptions);
    return self;
}

static int suppress_init(PyObject *self, PyObject *args, PyObject *keywords) {
    if (keywords && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "suppress() takes no keyword arguments");
        return -1;
    }
    return within_small_manager_set(self, args, NULL);
}

static PyObject *get_exceptions(PyObject *self, void *unused) {
    (void)unused;
    return tuple_of(self);
}

static int set_exceptions(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    if (value) return within_small_manager_set(self, value, NULL);
    PyErr_SetString(PyExc_AttributeError, "_exceptions cannot be deleted");
    return -1;
}

static PyObject *suppress_get_state(PyObject *self, PyObject *unused) {
    PyObject *state = within_get_state(self, unused), *exceptions = tuple_of(self);
    int failed = !state || !exceptions || PyDict_SetItemString(state, "_exceptions", exceptions);
    Py_XDECREF(exceptions);
    if (failed) Py_CLEAR(state);
    return state;
}

static PyMethodDef methods[] = {
    WITHIN_INSTANCE_GENERIC,
    {"__getstate__", suppress_get_state, METH_NOARGS, NULL},
    {"__setstate__", within_set_state, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    WITHIN_INSTANCE_MEMBERS,
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"_exceptions", get_exceptions, set_exceptions, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(doc, "suppress(*exceptions)\n--\n\n\
A manager whose block these exceptions, and what derives from them, end without going further.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},    {Py_tp_new, suppress_new},
    {Py_tp_init, suppress_init}, {Py_tp_methods, methods},
    {Py_tp_members, members},    {Py_tp_getset, getset},
    WITHIN_SMALL_MANAGER_SLOTS,  {0, NULL},
};

static PyType_Spec spec = WITHIN_SMALL_MANAGER_SPEC("suppress", slots);

int within_add_suppress(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, suppress_vectorcall) ? 0 : -1;
}
