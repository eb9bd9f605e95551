/* Blocks of the core that managers in Python begin and end: of the environment, the working directory, threads. */
#include "core_manager.h"

#include <within/environment.h>
#include <within/threads.h>
#include <within/workdir.h>

typedef struct core_block {
    PyObject_HEAD PyObject *given; /* the texts that the core borrows */
    wi_variable *variables;        /* of an environment */
    union {
        wi_manager manager;
        wi_environment environment;
        wi_workdir workdir;
        wi_threads threads;
    } core;
    within_caller *call;
    int is_open;
} core_block;

/* ---- beginning ---- */

static core_block *new_block(PyObject *type, PyObject *given) {
    core_block *block = (core_block *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (!block) return NULL;
    block->given = Py_NewRef(given);
    block->call = within_call;
    return block;
}

static PyObject *begin(core_block *block) {
    if (within_core_enter(block->call, &block->core)) {
        Py_DECREF(block);
        return NULL;
    }
    block->is_open = 1;
    return (PyObject *)block;
}

static int fill_in(wi_variable *variable, PyObject *pair) {
    PyObject *name, *value;
    if (!PyArg_ParseTuple(pair, "SO", &name, &value)) return -1;
    variable->name = PyBytes_AS_STRING(name);
    variable->value = value == Py_None ? NULL : PyBytes_AsString(value);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *begin_environment(PyObject *type, PyObject *pairs) {
    if (!PyTuple_Check(pairs)) return PyErr_Format(PyExc_TypeError, "a tuple is needed");
    core_block *block = new_block(type, pairs);
    if (!block) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(pairs);
    block->variables = PyMem_New(wi_variable, count);
    int failed = !block->variables;
    if (failed) PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count && !failed; i++)
        failed = fill_in(&block->variables[i], PyTuple_GET_ITEM(pairs, i));
    if (failed) {
        Py_DECREF(block);
        return NULL;
    }
    block->core.environment = wi_environment_of(block->variables, (size_t)count);
    block->call =
        within_call_with_gil; /* os.putenv of another thread is kept away by nothing else */
    return begin(block);
}

static PyObject *begin_workdir(PyObject *type, PyObject *path) {
    char *text;
    if (PyBytes_AsStringAndSize(path, &text, NULL)) return NULL;
    core_block *block = new_block(type, path);
    if (!block) return NULL;
    block->core.workdir = wi_workdir(text);
    return begin(block);
}

static PyObject *begin_threads(PyObject *type, PyObject *number) {
    int n;
    if (!PyArg_Parse(number, "i", &n)) return NULL;
    core_block *block = new_block(type, number);
    if (!block) return NULL;
    block->core.threads = wi_threads(n);
    return begin(block);
}

/* ---- ending ---- */

static int take(core_block *block) {
    return __atomic_exchange_n(&block->is_open, 0, __ATOMIC_ACQ_REL);
}

static PyObject *block_end(PyObject *self, PyObject *unused) {
    (void)unused;
    core_block *block = (core_block *)self;
    if (!take(block)) return PyErr_Format(PyExc_RuntimeError, "the block has ended already");
    if (within_core_exit(block->call, &block->core, WI_END)) return NULL;
    Py_RETURN_NONE;
}

static void block_finalize(PyObject *self) {
    core_block *block = (core_block *)self;
    if (take(block)) within_core_drop(block->call, &block->core, WI_END, self);
}

static void block_dealloc(PyObject *self) {
    core_block *block = (core_block *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc(self)) return;
    PyMem_Free(block->variables);
    Py_XDECREF(block->given);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"environment", begin_environment, METH_O | METH_CLASS,
     "Begin one: a tuple of pairs of bytes, name and value or None."},
    {"workdir", begin_workdir, METH_O | METH_CLASS, "Begin one: a path, bytes."},
    {"threads", begin_threads, METH_O | METH_CLASS, "Begin one: a number."},
    {"end", block_end, METH_NOARGS, "End it; done by itself when the object is freed."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(doc, "An open block of the core.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_methods, methods},
    {Py_tp_finalize, block_finalize},
    {Py_tp_dealloc, block_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.CoreBlock",
    .basicsize = sizeof(core_block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int within_add_core_block(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
