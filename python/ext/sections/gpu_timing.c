/* The core's measuring of a block on the GPU, for sections in Python. */
#include "sections/section.h"

#include <structmember.h>
#include <within/gpu_section.h>

typedef struct timing {
    PyObject_HEAD wi__gpu_measure measure;
} timing;

/* Begins at once: it is made where its block begins. */
static PyObject *timing_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *stream;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "O:gpu_timing", &stream)) return NULL;
    void *handle = PyLong_AsVoidPtr(stream);
    if (PyErr_Occurred()) return NULL;
    timing *self = (timing *)type->tp_alloc(type, 0);
    if (self) wi__gpu_measure_begin(&self->measure, handle);
    return (PyObject *)self;
}

static PyObject *timing_end(PyObject *self, PyObject *section) {
    void *branch;
    if (within_section_branch(section, &branch)) return NULL;
    wi__gpu_measure_end(&((timing *)self)->measure, branch);
    Py_RETURN_NONE;
}

/* An event that has not got its partner goes back. */
static void timing_dealloc(PyObject *object) {
    timing *self = (timing *)object;
    PyTypeObject *type = Py_TYPE(object);
    wi__gpu_measure_end(&self->measure, NULL);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(
    doc, "gpu_timing(stream)\n--\n\n"
         "Time on the GPU from here on, by events in a stream: its handle, 0 for the default one.");

static PyMethodDef methods[] = {
    {"end", timing_end, METH_O, "end(section): up to here; counted in a section that is open."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"device", T_INT, offsetof(timing, measure.device), READONLY,
     "The current context's; -1 without one: then nothing is measured."},
    {"is_captured", T_INT, offsetof(timing, measure.is_captured), READONLY,
     "Not 0: nothing is measured, for the stream is being captured into a graph."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},         {Py_tp_new, timing_new},  {Py_tp_dealloc, timing_dealloc},
    {Py_tp_methods, (void *)methods}, {Py_tp_members, members}, {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.gpu_timing",
    .basicsize = sizeof(timing),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_gpu_timing(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
