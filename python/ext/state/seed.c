/* The generators in C, seeded for a block of Python: the core's part of within.temporary_seed. */
#include "core_manager.h"

#include <within/seed.h>

typedef struct seed {
    PyObject_HEAD wi_temporary_seed core;
    within_phase phase;
} seed;

/* ---- the block ---- */

static PyObject *seed_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    seed *s = (seed *)self;
    if (!within_move(&s->phase, WITHIN_CLOSED, WITHIN_BUSY))
        return PyErr_Format(PyExc_RuntimeError, "the generators in C are seeded already");
    int failed = within_core_enter(within_call, &s->core);
    within_move(&s->phase, WITHIN_BUSY, failed ? WITHIN_CLOSED : WITHIN_OPEN);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *seed_leave(PyObject *self, PyObject *unused) {
    (void)unused;
    seed *s = (seed *)self;
    if (!within_move(&s->phase, WITHIN_OPEN, WITHIN_BUSY)) Py_RETURN_NONE;
    int failed = within_core_exit(within_call, &s->core, WI_END);
    within_move(&s->phase, WITHIN_BUSY, WITHIN_CLOSED);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* ---- life ---- */

static PyObject *seed_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)keywords;
    long long number;
    if (!PyArg_ParseTuple(args, "L:seed", &number)) return NULL;
    seed *s = (seed *)type->tp_alloc(type, 0);
    if (s) s->core = wi_temporary_seed(number);
    return (PyObject *)s;
}

/* A block that nobody has ended. */
static void seed_finalize(PyObject *self) {
    seed *s = (seed *)self;
    if (!within_move(&s->phase, WITHIN_OPEN, WITHIN_BUSY)) return;
    within_core_drop(within_call, &s->core, WI_END, self);
    within_move(&s->phase, WITHIN_BUSY, WITHIN_CLOSED);
}

static void seed_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc(self)) return;
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"enter", seed_enter, METH_NOARGS, "Seed them, all having been saved."},
    {"leave", seed_leave, METH_NOARGS, "Put them back as they were, if they are seeded."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)"seed(number)\n--\n\nThe generators in C, as the core seeds them."},
    {Py_tp_new, seed_new},
    {Py_tp_finalize, seed_finalize},
    {Py_tp_dealloc, seed_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.seed",
    .basicsize = sizeof(seed),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_seed(PyObject *module) { return within_add_type(module, &spec, NULL) ? 0 : -1; }
