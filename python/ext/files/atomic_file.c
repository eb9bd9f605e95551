/* The core's atomic files and paths, for python/within/_atomic_file.py: entered once, then ended once. */
#include "core_manager.h"

#include <within/atomic_file.h>

typedef struct publication {
    PyObject_HEAD PyObject *path; /* bytes: the core borrows the text */
    within_phase phase;
    union {
        wi_manager manager;
        wi_atomic_file file;
        wi_atomic_path place;
    } core;
} publication;

/* ---- the block ---- */

static int enter(publication *p) {
    if (!within_move(&p->phase, WITHIN_CLOSED, WITHIN_BUSY)) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s: this object has been used; make a new one for each block",
                     PyBytes_AS_STRING(p->path));
        return -1;
    }
    int failed = within_core_enter(within_call, &p->core);
    within_move(&p->phase, WITHIN_BUSY, failed ? WITHIN_OVER : WITHIN_OPEN);
    return failed;
}

static PyObject *file_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    publication *p = (publication *)self;
    return enter(p) ? NULL : PyLong_FromLong(p->core.file.fd);
}

static PyObject *path_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    publication *p = (publication *)self;
    return enter(p) ? NULL : PyUnicode_DecodeFSDefault(p->core.place.temporary);
}

static PyObject *publication_exit(PyObject *self, PyObject *whole) {
    publication *p = (publication *)self;
    int is_whole = PyObject_IsTrue(whole);
    if (is_whole < 0) return NULL;
    if (!within_move(&p->phase, WITHIN_OPEN, WITHIN_OVER))
        return PyErr_Format(PyExc_RuntimeError, "%s: its block is not open",
                            PyBytes_AS_STRING(p->path));
    if (within_core_exit(within_call, &p->core, is_whole ? WI_END : WI_RAISED)) return NULL;
    Py_RETURN_NONE;
}

/* ---- life ---- */

static publication *new_publication(PyTypeObject *type, PyObject *path) {
    if (strlen(PyBytes_AS_STRING(path)) != (size_t)PyBytes_GET_SIZE(path)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte in a path");
        return NULL;
    }
    publication *p = (publication *)type->tp_alloc(type, 0);
    if (p) p->path = Py_NewRef(path);
    return p;
}

static PyObject *file_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"path", "size", "sync", "exclusive", NULL};
    PyObject *path;
    Py_ssize_t size;
    int sync, exclusive;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "Snpp:AtomicFile", names, &path, &size, &sync,
                                     &exclusive))
        return NULL;
    publication *p = new_publication(type, path);
    if (p)
        p->core.file = wi_atomic_file(PyBytes_AS_STRING(path), .size = (size_t)size,
                                      .no_sync = !sync, .exclusive = exclusive);
    return (PyObject *)p;
}

static PyObject *path_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"path", "sync", NULL};
    PyObject *path;
    int sync;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "Sp:AtomicPath", names, &path, &sync))
        return NULL;
    publication *p = new_publication(type, path);
    if (p) p->core.place = wi_atomic_path(PyBytes_AS_STRING(path), .no_sync = !sync);
    return (PyObject *)p;
}

/* A block that nobody ended is discarded. */
static void publication_dealloc(PyObject *self) {
    publication *p = (publication *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (within_move(&p->phase, WITHIN_OPEN, WITHIN_OVER))
        within_core_drop(within_call, &p->core, WI_RAISED, NULL);
    Py_CLEAR(p->path);
    type->tp_free(self);
    Py_DECREF(type);
}

#define EXIT                                                                                       \
    {"exit", publication_exit, METH_O, "Publish what was written if it is whole, or discard it."}

static PyMethodDef file_methods[] = {
    {"enter", file_enter, METH_NOARGS, "Make the temporary file; returns its descriptor."},
    EXIT,
    {NULL, NULL, 0, NULL},
};

static PyMethodDef path_methods[] = {
    {"enter", path_enter, METH_NOARGS, "Find the target; returns the path to write at."},
    EXIT,
    {NULL, NULL, 0, NULL},
};

static PyType_Slot file_slots[] = {
    {Py_tp_doc,
     (void *)"AtomicFile(path, size, sync, exclusive)\n--\n\nA file that appears whole."},
    {Py_tp_new, file_new},
    {Py_tp_dealloc, publication_dealloc},
    {Py_tp_methods, file_methods},
    {0, NULL},
};

static PyType_Slot path_slots[] = {
    {Py_tp_doc, (void *)"AtomicPath(path, sync)\n--\n\nA path to write at, published at the end."},
    {Py_tp_new, path_new},
    {Py_tp_dealloc, publication_dealloc},
    {Py_tp_methods, path_methods},
    {0, NULL},
};

static PyType_Spec file_spec = {
    .name = "within._within.AtomicFile",
    .basicsize = sizeof(publication),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = file_slots,
};

static PyType_Spec path_spec = {
    .name = "within._within.AtomicPath",
    .basicsize = sizeof(publication),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = path_slots,
};

int within_add_atomic_file(PyObject *module) {
    int failed = !within_add_type(module, &file_spec, NULL);
    return failed || !within_add_type(module, &path_spec, NULL) ? -1 : 0;
}
