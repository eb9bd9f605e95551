/* contextlib.closing: a block that closes a thing at its end. */
#include "small_manager.h"

static PyObject *thing_of(PyObject *self) {
    return within_small_manager_need(self, within_small_manager_of(self)->argument, "thing");
}

static PyObject *closing_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_XNewRef(thing_of(self));
}

static PyObject *closing_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    PyObject *thing = thing_of(self);
    within_state *state = within_state_from(Py_TYPE(self));
    if (!thing || !state) return NULL;
    PyObject *result = PyObject_CallMethodNoArgs(thing, state->names.nclose);
    if (!result) return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", closing_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", (PyCFunction)(void (*)(void))closing_exit, METH_FASTCALL, NULL},
};

static PyObject *closing_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

static PyObject *closing_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                    PyObject *names) {
    if (names || PyVectorcall_NARGS(nargsf) != 1)
        return within_call_type(type, args, nargsf, names);
    return within_small_manager_make((PyTypeObject *)type, closing_call, args[0], NULL);
}

static PyObject *closing_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_small_manager_new(type, closing_call);
}

static int closing_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"thing", NULL};
    PyObject *thing;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:closing", names, &thing)) return -1;
    return within_small_manager_set(self, thing, NULL);
}

static PyMethodDef methods[] = {
    WITHIN_INSTANCE_GENERIC,
    WITHIN_INSTANCE_STATE,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    WITHIN_INSTANCE_MEMBERS,
    {"thing", T_OBJECT_EX, offsetof(within_small_manager, argument), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(doc, "closing(thing)\n--\n\n\
A manager that gives thing to its block, and calls ``thing.close()`` at the block's end.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},
    {Py_tp_new, closing_new},
    {Py_tp_init, closing_init},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, within_instance_getset},
    {Py_tp_traverse, within_small_manager_traverse},
    {Py_tp_clear, within_small_manager_clear},
    {Py_tp_dealloc, within_small_manager_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.contextlib.closing",
    .basicsize = sizeof(within_small_manager),
    .flags = WITHIN_SMALL_MANAGER_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_closing(PyObject *module) {
    PyTypeObject *type = within_add_type(module, &spec, NULL);
    if (!type || within_add_with_methods(module, type, &with_methods)) return -1;
    type->tp_vectorcall = closing_vectorcall;
    return 0;
}
