/* contextlib.closing: a block that closes a thing at its end. */
#include "contextlib/small_manager.h"

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
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    if (!thing || !state) return NULL;
    PyObject *result = PyObject_CallMethodNoArgs(thing, state->names.nclose);
    if (!result) return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", closing_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", WITHIN_FASTCALL(closing_exit), NULL},
};

WITHIN_SMALL_MANAGER_OF(closing, "thing", NULL)

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    WITHIN_INSTANCE_MEMBERS,
    {"thing", T_OBJECT_EX, offsetof(within_small_manager, argument), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(doc, "closing(thing)\n--\n\n\
A manager that gives thing to its block, and calls ``thing.close()`` at the block's end.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},   {Py_tp_new, closing_new},
    {Py_tp_init, closing_init}, {Py_tp_methods, within_small_manager_methods},
    {Py_tp_members, members},   {Py_tp_getset, within_instance_getset},
    WITHIN_SMALL_MANAGER_SLOTS, {0, NULL},
};

static PyType_Spec spec = WITHIN_SMALL_MANAGER_SPEC("closing", slots);

int within_add_closing(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, closing_vectorcall) ? 0 : -1;
}
