/* What a manager in Python holds: kept alive, and in the ledger; in a forked child alive for ever. */
#include "module.h"

#include <unistd.h>
#include <within/record.h>

/* A forked child must not free what is its parent's: sqlite3's connections roll back when they are freed. */
typedef struct hold {
    PyObject_HEAD PyObject *thing;
    wi_holding holding;
    pid_t owner;
} hold;

static PyObject *hold_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    const char *kind;
    PyObject *what, *thing;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "sO&O:Hold", &kind, PyUnicode_FSConverter, &what, &thing))
        return NULL;
    hold *self = (hold *)type->tp_alloc(type, 0);
    if (self) {
        self->thing = Py_NewRef(thing);
        self->holding = wi_hold(kind, "%s", PyBytes_AS_STRING(what));
        self->owner = getpid();
    }
    Py_DECREF(what);
    return (PyObject *)self;
}

static int hold_clear(PyObject *object) {
    hold *self = (hold *)object;
    PyObject *thing = self->thing;
    self->thing = NULL;
    if (self->owner == getpid()) Py_XDECREF(thing);
    return 0;
}

static int hold_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(((hold *)object)->thing);
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static void hold_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    wi_let_go(((hold *)object)->holding);
    hold_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(doc,
             "Hold(kind, what, thing)\n--\n\n"
             "Keep a thing alive, and a line in the ledger: its kind, one word, and what it is. "
             "Free it to let go.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},  {Py_tp_new, hold_new},         {Py_tp_traverse, hold_traverse},
    {Py_tp_clear, hold_clear}, {Py_tp_dealloc, hold_dealloc}, {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.Hold",
    .basicsize = sizeof(hold),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int within_add_hold(PyObject *module) { return within_add_type(module, &spec, NULL) ? 0 : -1; }
