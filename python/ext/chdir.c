/* contextlib.chdir, from Python 3.11 on: a block in another working directory. */
#include "small_manager.h"

static int remember(within_small_manager *self) {
    PyObject *list = PyList_New(0);
    if (!list) return -1;
    Py_XSETREF(self->memory, list);
    return 0;
}

/* Through the module os, where programs replace what they want to watch. */
static int change(within_state *state, PyObject *path) {
    PyObject *result = PyObject_CallMethodOneArg(state->os, state->names.nchdir, path);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static PyObject *chdir_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    within_small_manager *manager = within_small_manager_of(self);
    within_state *state = within_state_from(Py_TYPE(self));
    if (!state || !within_small_manager_need(self, manager->argument, "path") ||
        !within_small_manager_need(self, manager->memory, "_old_cwd"))
        return NULL;
    PyObject *old = PyObject_CallMethodNoArgs(state->os, state->names.ngetcwd);
    if (!old) return NULL;
    PyObject *appended = PyObject_CallMethodOneArg(manager->memory, state->names.nappend, old);
    Py_DECREF(old);
    Py_XDECREF(appended);
    if (!appended || change(state, manager->argument)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *chdir_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    within_state *state = within_state_from(Py_TYPE(self));
    PyObject *directories =
        within_small_manager_need(self, within_small_manager_of(self)->memory, "_old_cwd");
    PyObject *old =
        state && directories ? PyObject_CallMethodNoArgs(directories, state->names.npop) : NULL;
    if (!old) return NULL;
    int failed = change(state, old);
    Py_DECREF(old);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", chdir_enter, METH_NOARGS, NULL},
    .exit = {"__exit__", (PyCFunction)(void (*)(void))chdir_exit, METH_FASTCALL, NULL},
};

static PyObject *chdir_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

static PyObject *chdir_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                  PyObject *names) {
    if (names || PyVectorcall_NARGS(nargsf) != 1)
        return within_call_type(type, args, nargsf, names);
    return within_small_manager_make((PyTypeObject *)type, chdir_call, args[0], remember);
}

static PyObject *chdir_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    return within_small_manager_new(type, chdir_call);
}

static int chdir_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"path", NULL};
    PyObject *path;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:chdir", names, &path)) return -1;
    return within_small_manager_set(self, path, remember);
}

static PyMethodDef methods[] = {
    WITHIN_INSTANCE_GENERIC,
    WITHIN_INSTANCE_STATE,
    {NULL, NULL, 0, NULL},
};

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
    {Py_tp_doc, (char *)doc},
    {Py_tp_new, chdir_new},
    {Py_tp_init, chdir_init},
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
    .name = "within.contextlib.chdir",
    .basicsize = sizeof(within_small_manager),
    .flags = WITHIN_SMALL_MANAGER_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_chdir(PyObject *module) {
    within_state *state = within_state_of(module);
    state->os = PyImport_ImportModule("os");
    PyTypeObject *type = state->os ? within_add_type(module, &spec, NULL) : NULL;
    if (!type || within_add_with_methods(module, type, &with_methods)) return -1;
    type->tp_vectorcall = chdir_vectorcall;
    return 0;
}
