/* contextlib.aclosing: an asynchronous block that closes a thing at its end. */
#include "contextlib/coroutine.h"
#include "contextlib/small_manager.h"

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
    if (coroutine->phase++) return within_coroutine_end(value, result);
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
    .exit = {"__aexit__", WITHIN_FASTCALL(aclosing_aexit), NULL},
};

WITHIN_SMALL_MANAGER_OF(aclosing, "thing", NULL)

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
    {Py_tp_doc, (char *)doc},    {Py_tp_new, aclosing_new},
    {Py_tp_init, aclosing_init}, {Py_tp_methods, within_small_manager_methods},
    {Py_tp_members, members},    {Py_tp_getset, within_instance_getset},
    WITHIN_SMALL_MANAGER_SLOTS,  {0, NULL},
};

static PyType_Spec spec = WITHIN_SMALL_MANAGER_SPEC("aclosing", slots);

int within_add_aclosing(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, aclosing_vectorcall) ? 0 : -1;
}
