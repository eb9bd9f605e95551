/* What wi.track_memory measures with: the core's wi_memory, open while its block is. */
#include "core_manager.h"
#include "module.h"

#include <math.h>
#include <within/memory.h>

typedef struct host_memory {
    PyObject_HEAD wi_memory memory;
} host_memory;

static PyObject *host_memory_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    host_memory *self = (host_memory *)type->tp_alloc(type, 0);
    if (self) self->memory = wi_memory(NULL, .quiet = 1);
    return (PyObject *)self;
}

static void host_memory_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    wi_memory *memory = &((host_memory *)object)->memory;
    if (memory->is_open) within_core_drop(within_call, memory, WI_END, NULL);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *bytes_or_none(double bytes) {
    return isnan(bytes) ? Py_NewRef(Py_None) : PyLong_FromDouble(bytes);
}

static PyObject *host_memory_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    wi_memory *memory = &((host_memory *)self)->memory;
    return within_core_enter(within_call, memory) ? NULL : bytes_or_none(memory->before);
}

static PyObject *host_memory_leave(PyObject *self, PyObject *unused) {
    (void)unused;
    wi_memory *memory = &((host_memory *)self)->memory;
    if (!memory->is_open) return PyErr_Format(PyExc_RuntimeError, "track_memory is not in a block");
    if (within_core_exit(within_call, memory, WI_END)) return NULL;
    return Py_BuildValue("NNN", bytes_or_none(memory->current), bytes_or_none(memory->peak),
                         PyBool_FromLong(memory->peak_is_exact));
}

static PyMethodDef methods[] = {
    {"enter", host_memory_enter, METH_NOARGS, "Begin; resident bytes, or None."},
    {"leave", host_memory_leave, METH_NOARGS, "End; resident bytes, their peak, is it exact."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)"Resident memory of a block."},
    {Py_tp_new, host_memory_new},
    {Py_tp_dealloc, host_memory_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.HostMemory",
    .basicsize = sizeof(host_memory),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_host_memory(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
