/* contextlib.nullcontext: a manager that does nothing but hand out a value. */
#include "contextlib/coroutine.h"
#include "contextlib/small_manager.h"

static PyObject *nullcontext_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *result = within_small_manager_of(self)->argument;
    return Py_NewRef(result ? result : Py_None);
}

static PyObject *nullcontext_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self, (void)args, (void)count;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", nullcontext_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", WITHIN_FASTCALL(nullcontext_exit), NULL},
};

WITHIN_SMALL_MANAGER(nullcontext)

static PySendResult aenter_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    (void)value;
    *result = nullcontext_enter(coroutine->owner, NULL);
    return PYGEN_RETURN;
}

static PyObject *nullcontext_aenter(PyObject *self, PyObject *unused) {
    (void)unused;
    return within_coroutine_new(self, aenter_step, "nullcontext.__aenter__");
}

static PySendResult aexit_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    (void)coroutine, (void)value;
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PyObject *nullcontext_aexit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    return within_coroutine_new(self, aexit_step, "nullcontext.__aexit__");
}

static PyObject *nullcontext_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                        PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (names || count > 1) return within_call_type(type, args, nargsf, names);
    return within_small_manager_make((PyTypeObject *)type, nullcontext_call,
                                     count ? args[0] : Py_None, NULL);
}

static int nullcontext_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"enter_result", NULL};
    PyObject *result = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:nullcontext", names, &result)) return -1;
    return within_small_manager_set(self, result, NULL);
}

static PyMethodDef methods[] = {
    {"__aenter__", nullcontext_aenter, METH_NOARGS, NULL},
    {"__aexit__", WITHIN_FASTCALL(nullcontext_aexit), NULL},
    WITHIN_INSTANCE_GENERIC,
    WITHIN_INSTANCE_STATE,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    WITHIN_INSTANCE_MEMBERS,
    {"enter_result", T_OBJECT_EX, offsetof(within_small_manager, argument), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(doc, "nullcontext(enter_result=None)\n--\n\n\
A manager that does nothing, and gives enter_result to its block.\n\n\
It stands where a manager is wanted only sometimes, with ``async with`` too.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},       {Py_tp_new, nullcontext_new},
    {Py_tp_init, nullcontext_init}, {Py_tp_methods, methods},
    {Py_tp_members, members},       {Py_tp_getset, within_instance_getset},
    WITHIN_SMALL_MANAGER_SLOTS,     {0, NULL},
};

static PyType_Spec spec = WITHIN_SMALL_MANAGER_SPEC("nullcontext", slots);

int within_add_nullcontext(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, nullcontext_vectorcall) ? 0 : -1;
}
