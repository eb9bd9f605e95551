/*
 * A source of figures that Python reads, before it lets the core share them out.
 *
 * The core has a lock while it reads a source. Waiting for the GIL meanwhile could wait for ever, for one who has
 * the GIL and waits for the lock: so the core finds here what Python has read already.
 */
#include "memory/gpu_source.h"

#include <math.h>
#include <stdio.h>

typedef struct source {
    PyObject_HEAD wi_gpu_source core;
    wi_gpu_figures figures;
    char not_read[160], not_reset[160]; /* why; empty if all is well */
    PyObject *name;                     /* bytes */
} source;

static void read_noted(void *of, wi_gpu_figures *figures) {
    const source *self = of;
    if (*self->not_read) wi_raise(WI_ERROR, "%s", self->not_read);
    *figures = self->figures;
}

static void reset_noted(void *of) {
    const source *self = of;
    if (*self->not_reset) wi_raise(WI_ERROR, "%s", self->not_reset);
}

/* Words for an exception; None is none. 0 if they cannot be had. */
static int note_words(PyObject *words, char text[160]) {
    const char *found = words == Py_None ? "" : PyUnicode_AsUTF8(words);
    if (found) snprintf(text, 160, "%s", found);
    return found != NULL;
}

static PyObject *source_note(PyObject *object, PyObject *args) {
    source *self = (source *)object;
    PyObject *peak, *not_read, *not_reset;
    double current;
    if (!PyArg_ParseTuple(args, "dOOO:note", &current, &peak, &not_read, &not_reset)) return NULL;
    double most = peak == Py_None ? NAN : PyFloat_AsDouble(peak);
    if (PyErr_Occurred() || !note_words(not_read, self->not_read) ||
        !note_words(not_reset, self->not_reset))
        return NULL;
    self->figures.current = current;
    self->figures.peak = most;
    Py_RETURN_NONE;
}

static PyObject *source_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *name;
    int can_reset;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "O&p:gpu_source", PyUnicode_FSConverter, &name, &can_reset))
        return NULL;
    source *self = (source *)type->tp_alloc(type, 0);
    if (!self) {
        Py_DECREF(name);
        return NULL;
    }
    self->name = name;
    self->core.name = PyBytes_AS_STRING(name);
    self->core.of = self;
    self->core.read = read_noted;
    self->core.reset = can_reset ? reset_noted : NULL;
    return (PyObject *)self;
}

static void source_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(((source *)object)->name);
    type->tp_free(object);
    Py_DECREF(type);
}

const wi_gpu_source *within_gpu_source_of(PyObject *object) {
    if (Py_TYPE(object)->tp_dealloc == source_dealloc) return &((const source *)object)->core;
    PyErr_Format(PyExc_TypeError, "a gpu_source is wanted, not %.200s", Py_TYPE(object)->tp_name);
    return NULL;
}

PyDoc_STRVAR(doc, "gpu_source(name, can_reset)\n--\n\n"
                  "What a library in Python says of a GPU's memory, noted before each boundary.");

static PyMethodDef methods[] = {
    {"note", source_note, METH_VARARGS,
     "note(current, peak, not_read, not_reset): what was read, or why it was not; a peak of None "
     "is "
     "not known."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_new, source_new},
    {Py_tp_dealloc, source_dealloc},
    {Py_tp_methods, (void *)methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.gpu_source",
    .basicsize = sizeof(source),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_gpu_source(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
