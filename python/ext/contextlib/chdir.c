/* contextlib.chdir, from Python 3.11 on: a block in another working directory. */
#include "contextlib/small_manager.h"

/* Through the module os, where programs replace what they want to watch. */
static int change(within_state *state, PyObject *path) {
    PyObject *result = PyObject_CallMethodOneArg(state->os, state->names.nchdir, path);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static PyObject *chdir_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *path =
        within_small_manager_need(self, within_small_manager_of(self)->argument, "path");
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    if (!path || !state) return NULL;
    PyObject *old = PyObject_CallMethodNoArgs(state->os, state->names.ngetcwd);
    if (within_small_manager_push(self, state, "_old_cwd", old) || change(state, path)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *chdir_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    within_state *state = within_state_of_subtype(Py_TYPE(self));
    PyObject *old = state ? within_small_manager_pop(self, state, "_old_cwd") : NULL;
    int failed = !old || change(state, old);
    Py_XDECREF(old);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", chdir_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", WITHIN_FASTCALL(chdir_exit), NULL},
};

WITHIN_SMALL_MANAGER_OF(chdir, "path", within_remember_list)

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    WITHIN_INSTANCE_MEMBERS,
    {"path", T_OBJECT_EX, offsetof(within_small_manager, argument), 0, NULL},
    {"_old_cwd", T_OBJECT_EX, offsetof(within_small_manager, memory), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(doc, "chdir(path)\n--\n\n\
A manager whose block has path as its working directory: that of the whole process, other threads included.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)doc},   {Py_tp_new, chdir_new},
    {Py_tp_init, chdir_init},   {Py_tp_methods, within_small_manager_methods},
    {Py_tp_members, members},   {Py_tp_getset, within_instance_getset},
    WITHIN_SMALL_MANAGER_SLOTS, {0, NULL},
};

static PyType_Spec spec = WITHIN_SMALL_MANAGER_SPEC("chdir", slots);

int within_add_chdir(PyObject *module) {
    within_state *state = within_state_of(module);
    if (within_hold(&state->os, PyImport_ImportModule("os"))) return -1;
    return within_add_manager(module, &spec, NULL, &with_methods, chdir_vectorcall) ? 0 : -1;
}
