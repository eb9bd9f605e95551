/* The core's wi_gpu_memory, for track_gpu_memory in Python. */
#include "core_manager.h"
#include "memory/gpu_source.h"

#include <math.h>
#include <structmember.h>
#include <within/gpu.h>

typedef struct memory {
    PyObject_HEAD wi_gpu_memory core;
    PyObject *source; /* what the core borrows; or NULL */
    char is_open;
} memory;

/* ---- the block ---- */

static PyObject *memory_enter(PyObject *object, PyObject *source) {
    memory *self = (memory *)object;
    const wi_gpu_source *core = source == Py_None ? NULL : within_gpu_source_of(source);
    if (PyErr_Occurred()) return NULL;
    Py_XSETREF(self->source, core ? Py_NewRef(source) : NULL);
    self->core.options.source = core;
    if (within_core_enter(within_call, &self->core)) return NULL;
    self->is_open = 1;
    Py_RETURN_NONE;
}

static PyObject *memory_adopt(PyObject *object, PyObject *source) {
    memory *self = (memory *)object;
    const wi_gpu_source *core = within_gpu_source_of(source);
    if (!core) return NULL;
    int adopted = wi__gpu_memory_adopt(&self->core, core);
    if (adopted) Py_XSETREF(self->source, Py_NewRef(source));
    return PyBool_FromLong(adopted);
}

static PyObject *memory_count_here(PyObject *object, PyObject *unused) {
    (void)unused;
    wi__gpu_memory_count_here(&((memory *)object)->core);
    Py_RETURN_NONE;
}

static PyObject *memory_leave(PyObject *object, PyObject *unused) {
    memory *self = (memory *)object;
    (void)unused;
    self->is_open = 0;
    if (within_core_exit(within_call, &self->core, WI_END)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *memory_line(PyObject *object, PyObject *unused) {
    char line[512];
    (void)unused;
    wi_gpu_memory_format(&((const memory *)object)->core, line, sizeof line);
    return PyUnicode_DecodeUTF8(line, (Py_ssize_t)strlen(line), "replace");
}

static PyObject *memory_is_in_use(PyObject *unused, PyObject *device) {
    (void)unused;
    long number = PyLong_AsLong(device);
    return number == -1 && PyErr_Occurred() ? NULL
                                            : PyBool_FromLong(wi__gpu_is_in_use((int)number));
}

/* ---- what was found ---- */

static PyObject *bytes_or_none(double bytes) {
    return isnan(bytes) ? Py_NewRef(Py_None) : PyLong_FromDouble(bytes);
}

static PyObject *get_delta(PyObject *self, void *unused) {
    (void)unused;
    return bytes_or_none(((const memory *)self)->core.delta);
}

static PyObject *get_current(PyObject *self, void *unused) {
    (void)unused;
    return bytes_or_none(((const memory *)self)->core.current);
}

static PyObject *get_peak(PyObject *self, void *unused) {
    (void)unused;
    return bytes_or_none(((const memory *)self)->core.peak);
}

static PyObject *get_source(PyObject *self, void *unused) {
    (void)unused;
    const memory *m = (const memory *)self;
    return m->core.source && !m->is_open ? PyUnicode_FromString(m->core.source->name)
                                         : Py_NewRef(Py_None);
}

/* ---- life ---- */

static PyObject *memory_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    int device;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "i:gpu_memory", &device)) return NULL;
    memory *self = (memory *)type->tp_alloc(type, 0);
    if (self) self->core = wi_gpu_memory(device, NULL, .quiet = 1);
    return (PyObject *)self;
}

/* A block that nobody has ended: other blocks must not find it on their list any more. */
static void memory_dealloc(PyObject *object) {
    memory *self = (memory *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->is_open) within_core_drop(within_call, &self->core, WI_END, NULL);
    Py_XDECREF(self->source);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(doc, "gpu_memory(device)\n--\n\nA wi_gpu_memory that prints nothing.");

static PyMethodDef methods[] = {
    {"enter", memory_enter, METH_O, "enter(source): begin; None for the driver's sources."},
    {"adopt", memory_adopt, METH_O, "adopt(source): give it one, if it waits for one."},
    {"count_here", memory_count_here, METH_NOARGS,
     "Have it recorded in the section that is open now."},
    {"leave", memory_leave, METH_NOARGS, "End; the figures are there."},
    {"line", memory_line, METH_NOARGS, "The line to print, without a label."},
    {"is_in_use", memory_is_in_use, METH_O | METH_STATIC,
     "is_in_use(device): has the process a CUDA context there?"},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"delta", get_delta, NULL, "Bytes, or None.", NULL},
    {"current", get_current, NULL, "Bytes, or None.", NULL},
    {"peak", get_peak, NULL, "Bytes, or None.", NULL},
    {"source", get_source, NULL, "The source's name, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},        {Py_tp_new, memory_new},
    {Py_tp_dealloc, memory_dealloc}, {Py_tp_methods, (void *)methods},
    {Py_tp_getset, (void *)getset},  {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.gpu_memory",
    .basicsize = sizeof(memory),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_gpu_memory(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
