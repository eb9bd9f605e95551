/* The core's redirected output, for python/within/_redirect_output.py: entered, read and left, again and again. */
#include "core_manager.h"

#include <within/redirect.h>

typedef struct redirection {
    PyObject_HEAD PyObject *path; /* bytes: the core borrows the text; or NULL */
    within_phase phase;
    wi_redirect core;
    wi_captured captured;
} redirection;

/* ---- the block ---- */

static PyObject *redirection_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    redirection *r = (redirection *)self;
    if (!within_move(&r->phase, WITHIN_CLOSED, WITHIN_BUSY)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this redirect_output is open already: make one for each block");
        return NULL;
    }
    int failed = within_core_enter(within_call, &r->core);
    within_move(&r->phase, WITHIN_BUSY, failed ? WITHIN_CLOSED : WITHIN_OPEN);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static PyObject *redirection_exit(PyObject *self, PyObject *unused) {
    (void)unused;
    redirection *r = (redirection *)self;
    if (!within_move(&r->phase, WITHIN_OPEN, WITHIN_BUSY)) {
        PyErr_SetString(PyExc_RuntimeError, "this redirect_output is not open");
        return NULL;
    }
    int failed = within_core_exit(within_call, &r->core, WI_END);
    within_move(&r->phase, WITHIN_BUSY, WITHIN_CLOSED);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

/* ---- reading ---- */

typedef struct reading {
    wi_captured *captured;
    const char *text;
} reading;

static void core_read(void *arg) {
    reading *r = arg;
    r->text = wi_captured_text(r->captured);
}

static PyObject *redirection_read(PyObject *self, PyObject *unused) {
    (void)unused;
    redirection *r = (redirection *)self;
    reading read = {&r->captured, NULL};
    within_phase before = WITHIN_OPEN;
    if (!within_move(&r->phase, WITHIN_OPEN, WITHIN_BUSY)) {
        before = WITHIN_CLOSED;
        if (!within_move(&r->phase, WITHIN_CLOSED, WITHIN_BUSY)) {
            PyErr_SetString(PyExc_RuntimeError, "another thread is at this redirect_output");
            return NULL;
        }
    }
    PyObject *bytes = NULL;
    if (within_call(core_read, &read) == 0)
        bytes = PyBytes_FromStringAndSize(read.text, (Py_ssize_t)r->captured.length);
    within_move(&r->phase, WITHIN_BUSY, before);
    return bytes;
}

/* ---- life ---- */

static PyObject *redirection_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"fd", "both", "path", "to", "append", "tee", NULL};
    int fd, both, to, append, tee;
    PyObject *path;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "ipOipp:Redirection", names, &fd, &both, &path,
                                     &to, &append, &tee))
        return NULL;
    redirection *r = (redirection *)type->tp_alloc(type, 0);
    if (!r) return NULL;
    if (path != Py_None && !PyUnicode_FSConverter(path, &r->path)) {
        Py_DECREF(r);
        return NULL;
    }
    r->core = wi_redirect(fd, .path = r->path ? PyBytes_AS_STRING(r->path) : NULL,
                          .into = r->path || to ? NULL : &r->captured, .to = to, .append = append,
                          .tee = tee, .by_line = 1);
    r->core.both = both;
    return (PyObject *)r;
}

static void core_free(void *captured) { wi_captured_free(captured); }

/* A block that nobody ended is ended. */
static void redirection_dealloc(PyObject *self) {
    redirection *r = (redirection *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject *kind, *value, *traceback;
    PyErr_Fetch(&kind, &value, &traceback);
    if (within_move(&r->phase, WITHIN_OPEN, WITHIN_CLOSED) &&
        within_core_exit(within_call, &r->core, WI_END))
        PyErr_WriteUnraisable(NULL);
    if (within_call(core_free, &r->captured)) PyErr_WriteUnraisable(NULL);
    PyErr_Restore(kind, value, traceback);
    Py_CLEAR(r->path);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"enter", redirection_enter, METH_NOARGS, "Lead the descriptors elsewhere."},
    {"exit", redirection_exit, METH_NOARGS, "Put them back."},
    {"read", redirection_read, METH_NOARGS, "What the buffer has caught so far, as bytes."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)"Redirection(fd, both, path, to, append, tee)\n--\n\n"
                        "Descriptors that lead to a path, another descriptor or a buffer."},
    {Py_tp_new, redirection_new},
    {Py_tp_dealloc, redirection_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.Redirection",
    .basicsize = sizeof(redirection),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_redirection(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
