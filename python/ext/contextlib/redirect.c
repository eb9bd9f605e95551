/* contextlib.redirect_stdout and redirect_stderr: blocks in which an attribute of sys is another. */
#include "contextlib/small_manager.h"

/* Which attribute: that of a class that people derive, "stdin" for example, is looked up. A new reference. */
static PyObject *stream_of(PyObject *self, within_state *state) {
    if (!state) return NULL;
    if (Py_TYPE(self) == state->redirect_stdout) return Py_NewRef(state->names.nstdout);
    if (Py_TYPE(self) == state->redirect_stderr) return Py_NewRef(state->names.nstderr);
    return PyObject_GetAttr(self, state->names.n_stream);
}

static int replace(within_state *state, PyObject *stream, PyObject *self, PyObject *target) {
    PyObject *old = PyObject_GetAttr(state->sys, stream);
    if (within_small_manager_push(self, state, "_old_targets", old)) return -1;
    return PyObject_SetAttr(state->sys, stream, target);
}

static PyObject *redirect_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *target = within_small_manager_of(self)->argument;
    target = Py_XNewRef(within_small_manager_need(self, target, "_new_target"));
    PyObject *stream = target ? stream_of(self, state) : NULL;
    if (!stream || replace(state, stream, self, target)) Py_CLEAR(target);
    Py_XDECREF(stream);
    return target;
}

static PyObject *redirect_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *stream = stream_of(self, state);
    if (!stream) return NULL;
    PyObject *old = within_small_manager_pop(self, state, "_old_targets");
    int failed = !old || PyObject_SetAttr(state->sys, stream, old);
    Py_XDECREF(old);
    Py_DECREF(stream);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", redirect_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", WITHIN_FASTCALL(redirect_exit), NULL},
};

WITHIN_SMALL_MANAGER_OF(redirect, "new_target", within_remember_list)

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
    {Py_tp_doc, (char *)base_doc}, {Py_tp_new, redirect_new},
    {Py_tp_init, redirect_init},   {Py_tp_methods, within_small_manager_methods},
    {Py_tp_members, members},      {Py_tp_getset, within_instance_getset},
    WITHIN_SMALL_MANAGER_SLOTS,    {0, NULL},
};

static PyType_Slot stdout_slots[] = {
    {Py_tp_doc, (char *)stdout_doc},
    {Py_tp_members, derived_members},
    WITHIN_SMALL_MANAGER_SLOTS,
    {0, NULL},
};

static PyType_Slot stderr_slots[] = {
    {Py_tp_doc, (char *)stderr_doc},
    {Py_tp_members, derived_members},
    WITHIN_SMALL_MANAGER_SLOTS,
    {0, NULL},
};

static PyType_Spec base_spec = WITHIN_SMALL_MANAGER_SPEC("_RedirectStream", base_slots);
static PyType_Spec stdout_spec = WITHIN_SMALL_MANAGER_SPEC("redirect_stdout", stdout_slots);
static PyType_Spec stderr_spec = WITHIN_SMALL_MANAGER_SPEC("redirect_stderr", stderr_slots);

static PyTypeObject *add(PyObject *module, PyType_Spec *spec, PyTypeObject *base,
                         PyObject *stream) {
    PyTypeObject *type =
        within_add_manager(module, spec, (PyObject *)base, &with_methods, redirect_vectorcall);
    return type && PyObject_SetAttrString((PyObject *)type, "_stream", stream) ? NULL : type;
}

static int add_derived(PyTypeObject **held, PyObject *module, PyType_Spec *spec, PyTypeObject *base,
                       PyObject *stream) {
    PyTypeObject *type = add(module, spec, base, stream);
    return within_hold_type(held, type);
}

int within_add_redirect(PyObject *module) {
    within_state *state = within_state_of(module);
    if (within_hold(&state->sys, PyImport_ImportModule("sys"))) return -1;
    PyTypeObject *base = add(module, &base_spec, NULL, Py_None);
    if (!base ||
        add_derived(&state->redirect_stdout, module, &stdout_spec, base, state->names.nstdout))
        return -1;
    return add_derived(&state->redirect_stderr, module, &stderr_spec, base, state->names.nstderr);
}
