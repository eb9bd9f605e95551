/* A callback of an exit stack as an object with the signature of __exit__. */
#include "contextlib/exit_callback.h"
#include "contextlib/coroutine.h"

#include <structmember.h>

/* What the callback gives is awaited; then it is over, and nothing is suppressed. */
static PySendResult await_step(within_coroutine *coroutine, PyObject *value, PyObject **result) {
    if (coroutine->phase++) return within_coroutine_end(value, result);
    PyObject *const nothing[3] = {Py_None, Py_None, Py_None};
    *result = within_exit_call(&((within_exit_callback *)coroutine->owner)->exit, nothing);
    return *result ? PYGEN_NEXT : PYGEN_ERROR;
}

static PyObject *exit_callback_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                                          PyObject *names) {
    if (PyVectorcall_NARGS(nargsf) != 3 || (names && PyTuple_GET_SIZE(names)))
        return PyErr_Format(PyExc_TypeError, "an exit callback takes 3 arguments");
    const within_exit *exit = &((within_exit_callback *)self)->exit;
    if (exit->async) return within_coroutine_new(self, await_step, "_exit_wrapper");
    return within_exit_call(exit, args);
}

static PyObject *exit_callback_new(within_state *state, const within_exit *exit) {
    within_exit_callback *self = PyObject_GC_New(within_exit_callback, state->exit_callback);
    if (!self) return NULL;
    self->call = exit_callback_vectorcall;
    self->exit = *exit;
    Py_INCREF(exit->function);
    Py_XINCREF(exit->object);
    Py_XINCREF(exit->names);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *within_exit_as_callable(within_state *state, const within_exit *exit) {
    switch (exit->kind) {
    case WITHIN_EXIT_METHOD: return PyMethod_New(exit->function, exit->object);
    case WITHIN_EXIT_FUNCTION: return Py_NewRef(exit->function);
    default: return exit_callback_new(state, exit);
    }
}

within_exit within_exit_of_callable(within_state *state, PyObject *callable, bool async) {
    within_exit exit = {.function = callable, .kind = WITHIN_EXIT_FUNCTION, .async = async};
    if (!Py_IS_TYPE(callable, state->exit_callback)) return exit;
    const within_exit *known = &((within_exit_callback *)callable)->exit;
    if (known->async != async) return exit;
    exit = *known;
    Py_INCREF(exit.function);
    Py_XINCREF(exit.object);
    Py_XINCREF(exit.names);
    Py_DECREF(callable);
    return exit;
}

static PyObject *get_name(PyObject *self, void *unused) {
    (void)self, (void)unused;
    return PyUnicode_FromString("_exit_wrapper");
}

static int exit_callback_traverse(PyObject *self, visitproc visit, void *arg) {
    const within_exit *exit = &((within_exit_callback *)self)->exit;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(exit->function);
    Py_VISIT(exit->object);
    Py_VISIT(exit->names);
    return 0;
}

static void exit_callback_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    within_exit_release(&((within_exit_callback *)self)->exit);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyGetSetDef getset[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_name, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(within_exit_callback, call), READONLY, NULL},
    {"__wrapped__", T_OBJECT, offsetof(within_exit_callback, exit.function), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_traverse, exit_callback_traverse},
    {Py_tp_dealloc, exit_callback_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.exit_callback",
    .basicsize = sizeof(within_exit_callback),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int within_add_exit_callback(PyObject *module) {
    return within_hold_type(&within_state_of(module)->exit_callback,
                            within_add_type(module, &spec, NULL));
}
