/* within.tempdir: the core's scratch directory for a block of Python. */
#include "core_manager.h"
#include "with_methods.h"

#include <structmember.h>
#include <within/tempdir.h>

typedef struct tempdir {
    within_manager manager;
    PyObject *prefix, *parent; /* bytes: the core borrows the text. The parent may be NULL */
    PyObject *path;            /* NULL before the first block */
    wi_tempdir core;
    within_phase phase;
} tempdir;

/* ---- the block ---- */

static int end(tempdir *dir, wi_reason reason) {
    int failed = within_core_exit(within_call, &dir->core, reason);
    within_move(&dir->phase, WITHIN_BUSY, WITHIN_CLOSED);
    return failed;
}

static PyObject *tempdir_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    tempdir *dir = (tempdir *)self;
    if (!within_move(&dir->phase, WITHIN_CLOSED, WITHIN_BUSY))
        return PyErr_Format(PyExc_RuntimeError,
                            "%R is open already: one object is one directory at a time", self);
    if (within_core_enter(within_call, &dir->core)) {
        within_move(&dir->phase, WITHIN_BUSY, WITHIN_CLOSED);
        return NULL;
    }
    PyObject *path = PyUnicode_DecodeFSDefault(dir->core.path);
    if (!path) {
        within_core_drop(within_call, &dir->core, WI_LEFT, self);
        within_move(&dir->phase, WITHIN_BUSY, WITHIN_CLOSED);
        return NULL;
    }
    Py_XSETREF(dir->path, Py_NewRef(path));
    within_move(&dir->phase, WITHIN_BUSY, WITHIN_OPEN);
    return path;
}

/* A generator that is closed has not failed. */
static wi_reason reason_of(PyObject *type) {
    if (type == Py_None) return WI_END;
    return type == PyExc_GeneratorExit ? WI_LEFT : WI_RAISED;
}

static PyObject *tempdir_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    tempdir *dir = (tempdir *)self;
    if (!within_move(&dir->phase, WITHIN_OPEN, WITHIN_BUSY))
        return PyErr_Format(PyExc_RuntimeError, "%R is not open", self);
    if (end(dir, count > 0 ? reason_of(args[0]) : WI_END)) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", tempdir_enter, METH_NOARGS,
              "Make the directory; the block gets its path."},
    .exit = {"__exit__", WITHIN_FASTCALL(tempdir_exit), "Remove the directory."},
};

static PyObject *tempdir_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- life ---- */

static PyObject *tempdir_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"prefix", "parent", "keep_on_error", NULL};
    PyObject *prefix = NULL, *parent = Py_None;
    int keep = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O&Op:tempdir", names, PyUnicode_FSConverter,
                                     &prefix, &parent, &keep))
        return NULL;
    tempdir *dir = (tempdir *)type->tp_alloc(type, 0);
    if (!dir || (parent != Py_None && !PyUnicode_FSConverter(parent, &dir->parent))) {
        Py_XDECREF(prefix);
        Py_XDECREF(dir);
        return NULL;
    }
    dir->manager.call = within_call_for(type, tempdir_call);
    dir->prefix = prefix;
    dir->core = wi_tempdir(.prefix = prefix ? PyBytes_AS_STRING(prefix) : NULL,
                           .parent = dir->parent ? PyBytes_AS_STRING(dir->parent) : NULL,
                           .keep_on_error = keep);
    return (PyObject *)dir;
}

/* A block that nobody has ended; as tempfile does, with a warning. */
static void tempdir_finalize(PyObject *self) {
    tempdir *dir = (tempdir *)self;
    if (!within_move(&dir->phase, WITHIN_OPEN, WITHIN_BUSY)) return;
    PyObject *kind, *value, *traceback;
    PyErr_Fetch(&kind, &value, &traceback);
    if (PyErr_ResourceWarning(self, 1, "implicitly removing %R", self)) PyErr_WriteUnraisable(self);
    if (end(dir, WI_LEFT)) PyErr_WriteUnraisable(self);
    PyErr_Restore(kind, value, traceback);
}

/* Objects of derived types have been finalized when they come here. */
static void tempdir_dealloc(PyObject *self) {
    tempdir *dir = (tempdir *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_dealloc == tempdir_dealloc && PyObject_CallFinalizerFromDealloc(self)) return;
    Py_XDECREF(dir->prefix);
    Py_XDECREF(dir->parent);
    Py_XDECREF(dir->path);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *tempdir_repr(PyObject *self) {
    const tempdir *dir = (tempdir *)self;
    if (!dir->path) return PyUnicode_FromFormat("<%s>", Py_TYPE(self)->tp_name);
    return PyUnicode_FromFormat("<%s %R>", Py_TYPE(self)->tp_name, dir->path);
}

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {"path", T_OBJECT, offsetof(tempdir, path), READONLY,
     "The directory of the block, also after it; None before."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
    doc,
    "tempdir(prefix='within', parent=None, keep_on_error=False)\n"
    "--\n"
    "\n"
    "A scratch directory: empty, for this user alone, and removed with everything in it.\n"
    "\n"
    "The block gets its path, an absolute ``str``. A process that is killed removes nothing: the "
    "next one that\n"
    "makes a scratch directory in the same parent does it, and so does ``within clean``.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "prefix : str\n"
    "    How the directory's name begins. Not empty, no '/' in it, no '.' at its begin.\n"
    "parent : path, optional\n"
    "    The folder to make it in; by default ``$TMPDIR``, or /tmp if that is not set or empty.\n"
    "keep_on_error : bool\n"
    "    Keep the directory after an exception in the block, and say where it is on stderr.\n"
    "\n"
    "Attributes\n"
    "----------\n"
    "path : str or None\n"
    "    The directory of the block, also after it; None before.\n"
    "\n"
    "Raises\n"
    "------\n"
    "ValueError\n"
    "    At the block's begin: the prefix will not do.\n"
    "OSError\n"
    "    At the begin: the directory cannot be made. At the end: something in it cannot be "
    "removed; the first one\n"
    "    is named, and all else is gone.\n"
    "RuntimeError\n"
    "    The object is open already.\n"
    "\n"
    "Notes\n"
    "-----\n"
    "In a child forked inside the block its end removes nothing. Links out of the directory are "
    "removed and not\n"
    "followed, and what is mounted in it stays.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> import os\n"
    ">>> import within as wi\n"
    ">>> with wi.tempdir(prefix=\"fft\") as path:\n"
    "...     os.path.basename(path).startswith(\"fft.\"), os.listdir(path)\n"
    "(True, [])\n"
    ">>> os.path.exists(path)\n"
    "False");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},           {Py_tp_new, tempdir_new},
    {Py_tp_finalize, tempdir_finalize}, {Py_tp_dealloc, tempdir_dealloc},
    {Py_tp_call, PyVectorcall_Call},    {Py_tp_repr, tempdir_repr},
    {Py_tp_members, members},           {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.tempdir",
    .basicsize = sizeof(tempdir),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_tempdir(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, NULL) ? 0 : -1;
}
