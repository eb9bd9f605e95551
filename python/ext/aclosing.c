/* contextlib.aclosing: an asynchronous block that closes a thing at its end. */
#include "coroutine.h"
#include "small_manager.h"

static PyObject *thing_of(PyObject *self) {
    return within_small_manager_need(self, within_small_manager_of(self)->argument, "thing");
}

static PySendResult enter_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    (void)value;
    *result = Py_XNewRef(thing_of(coroutine->owner));
    return *result ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *aclosing_aenter(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_coroutine_new(self, enter_step, "aclosing.__aenter__");
}

/* First what aclose() gives is awaited, then it is over. */
static PySendResult exit_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    if (coroutine->phase++) {
        if (!value) return PYGEN_ERROR;
        Py_DECREF(value);
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    within_state *state = within_state_of_type(Py_TYPE(coroutine));
    PyObject *thing = thing_of(coroutine->owner);
    *result = thing ? PyObject_CallMethodNoArgs(thing, state->names.naclose) : NULL;
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

static PyObject *aclosing_aexit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    return within_coroutine_new(self, exit_step, "aclosing.__aexit__");
}

static const within_with_methods with_methods = {
    .enter = {"__aenter__", aclosing_aenter, METH_NOARGS, NULL},
    .exit = {"__aexit__", (PyCFunction)(void (*)(void))aclosing_aexit, METH_FASTCALL, NULL},
};

static PyObject *aclosing_call(PyObject *self, PyObject *const *args, size_t nargsf,
                               PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

static PyObject *aclosing_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                     PyObject *names) {
    if (names || PyVectorcall_NARGS(nargsf) != 1)
        return within_call_type(type, args, nargsf, names);
    return within_small_manager_make((PyTypeObject *)type, aclosing_call, args[0], NULL);
}

static PyObject *aclosing_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_small_manager_new(type, aclosing_call);
}

static int aclosing_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"thing", NULL};
    PyObject *thing;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:aclosing", names, &thing)) return -1;
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

PyDoc_STRVAR(doc, "aclosing(thing)\n--\n\n\
An asynchronous manager that gives thing to its block, and awaits ``thing.aclose()`` at the block's end.\n\n\
An asynchronous generator that is left early is thus finished at once, in the task that used it.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},
    {Py_tp_new, aclosing_new},
    {Py_tp_init, aclosing_init},
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
    .name = "within.contextlib.aclosing",
    .basicsize = sizeof(within_small_manager),
    .flags = WITHIN_SMALL_MANAGER_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_aclosing(PyObject *module) {
    PyTypeObject *type = within_add_type(module, &spec, NULL);
    if (!type || within_add_with_methods(module, type, &with_methods)) return -1;
    type->tp_vectorcall = aclosing_vectorcall;
    return 0;
}
