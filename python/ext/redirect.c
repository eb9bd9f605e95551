/* contextlib.redirect_stdout and redirect_stderr: blocks in which an attribute of sys is another. */
#include "small_manager.h"

static int remember(within_small_manager *self) {
    PyObject *list = PyList_New(0);
    if (!list) return -1;
    Py_XSETREF(self->memory, list);
    return 0;
}

/* Which attribute: that of a class that people derive, "stdin" for example, is looked up. A new reference. */
static PyObject *stream_of(PyObject *self, within_state *state) {
    if (!state) return NULL;
    if (Py_TYPE(self) == state->redirect_stdout) return Py_NewRef(state->names.nstdout);
    if (Py_TYPE(self) == state->redirect_stderr) return Py_NewRef(state->names.nstderr);
    return PyObject_GetAttr(self, state->names.n_stream);
}

static PyObject *targets_of(PyObject *self) {
    return within_small_manager_need(self, within_small_manager_of(self)->memory, "_old_targets");
}

static int replace(within_small_manager *self, within_state *state, PyObject *stream) {
    PyObject *old = PyObject_GetAttr(state->sys, stream);
    if (!old) return -1;
    PyObject *appended = PyObject_CallMethodOneArg(self->memory, state->names.nappend, old);
    Py_DECREF(old);
    Py_XDECREF(appended);
    return appended ? PyObject_SetAttr(state->sys, stream, self->argument) : -1;
}

static PyObject *redirect_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    within_small_manager *manager = within_small_manager_of(self);
    within_state *state = within_state_from(Py_TYPE(self));
    PyObject *stream = targets_of(self) ? stream_of(self, state) : NULL;
    if (!stream) return NULL;
    int failed = replace(manager, state, stream);
    Py_DECREF(stream);
    return failed ? NULL : Py_NewRef(manager->argument);
}

static PyObject *redirect_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    within_state *state = within_state_from(Py_TYPE(self));
    PyObject *stream = targets_of(self) ? stream_of(self, state) : NULL;
    if (!stream) return NULL;
    PyObject *old = PyObject_CallMethodNoArgs(targets_of(self), state->names.npop);
    int failed = !old || PyObject_SetAttr(state->sys, stream, old);
    Py_XDECREF(old);
    Py_DECREF(stream);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", redirect_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", (PyCFunction)(void (*)(void))redirect_exit, METH_FASTCALL, NULL},
};

static PyObject *redirect_call(PyObject *self, PyObject *const *args, size_t nargsf,
                               PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

static PyObject *redirect_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                     PyObject *names) {
    if (names || PyVectorcall_NARGS(nargsf) != 1)
        return within_call_type(type, args, nargsf, names);
    return within_small_manager_make((PyTypeObject *)type, redirect_call, args[0], remember);
}

static PyObject *redirect_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_small_manager_new(type, redirect_call);
}

static int redirect_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"new_target", NULL};
    PyObject *target;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:redirect", names, &target)) return -1;
    return within_small_manager_set(self, target, remember);
}

static PyMethodDef methods[] = {
    WITHIN_INSTANCE_GENERIC,
    WITHIN_INSTANCE_STATE,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    WITHIN_INSTANCE_MEMBERS,
    {"_new_target", T_OBJECT_EX, offsetof(within_small_manager, argument), 0, NULL},
    {"_old_targets", T_OBJECT_EX, offsetof(within_small_manager, memory), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(base_doc, "_RedirectStream(new_target)\n--\n\n\
A manager that replaces the attribute of sys that the class names as _stream.");
PyDoc_STRVAR(stdout_doc, "redirect_stdout(new_target)\n--\n\n\
A manager in whose block sys.stdout is new_target: for the whole process, other threads included.");
PyDoc_STRVAR(stderr_doc, "redirect_stderr(new_target)\n--\n\n\
A manager in whose block sys.stderr is new_target: for the whole process, other threads included.");

static PyMemberDef derived_members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot base_slots[] = {
    {Py_tp_doc, (char *)base_doc},
    {Py_tp_new, redirect_new},
    {Py_tp_init, redirect_init},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, within_instance_getset},
    {Py_tp_traverse, within_small_manager_traverse},
    {Py_tp_clear, within_small_manager_clear},
    {Py_tp_dealloc, within_small_manager_dealloc},
    {0, NULL},
};

#define DERIVED_SLOTS(text)                                                                        \
    {                                                                                              \
        {Py_tp_doc, (char *)text}, {Py_tp_call, PyVectorcall_Call},                                \
            {Py_tp_members, derived_members}, {Py_tp_traverse, within_small_manager_traverse},     \
            {Py_tp_clear, within_small_manager_clear},                                             \
            {Py_tp_dealloc, within_small_manager_dealloc}, {                                       \
            0, NULL                                                                                \
        }                                                                                          \
    }
static PyType_Slot stdout_slots[] = DERIVED_SLOTS(stdout_doc);
static PyType_Slot stderr_slots[] = DERIVED_SLOTS(stderr_doc);

#define SPEC(type, its_slots)                                                                      \
    {                                                                                              \
        .name = "within.contextlib." type,                                                         \
        .basicsize = sizeof(within_small_manager),                                                 \
        .flags = WITHIN_SMALL_MANAGER_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL,                          \
        .slots = its_slots,                                                                        \
    }
static PyType_Spec base_spec = SPEC("_RedirectStream", base_slots);
static PyType_Spec stdout_spec = SPEC("redirect_stdout", stdout_slots);
static PyType_Spec stderr_spec = SPEC("redirect_stderr", stderr_slots);

static PyTypeObject *add(PyObject *module, PyType_Spec *spec, PyTypeObject *base,
                         PyObject *stream) {
    PyTypeObject *type = within_add_type(module, spec, (PyObject *)base);
    if (!type || within_add_with_methods(module, type, &with_methods)) return NULL;
    type->tp_vectorcall = redirect_vectorcall;
    return PyObject_SetAttrString((PyObject *)type, "_stream", stream) ? NULL : type;
}

int within_add_redirect(PyObject *module) {
    within_state *state = within_state_of(module);
    state->sys = PyImport_ImportModule("sys");
    PyTypeObject *base = state->sys ? add(module, &base_spec, NULL, Py_None) : NULL;
    if (!base) return -1;
    PyTypeObject *out = add(module, &stdout_spec, base, state->names.nstdout);
    state->redirect_stdout = (PyTypeObject *)Py_XNewRef(out);
    PyTypeObject *error = out ? add(module, &stderr_spec, base, state->names.nstderr) : NULL;
    state->redirect_stderr = (PyTypeObject *)Py_XNewRef(error);
    return error ? 0 : -1;
}
