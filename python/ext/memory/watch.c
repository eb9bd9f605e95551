/* What wi.watch watches with: the core's wi_watch, open while its block is. */
#include "core_manager.h"
#include "module.h"

#include <math.h>
#include <within/watch.h>

typedef struct watch {
    PyObject_HEAD wi_watch watch;
    PyObject *sections; /* bytes that the core borrows; NULL: outermost loops */
} watch;

static PyObject *watch_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *sections;
    int quiet, explain;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "Opp:Watch", &sections, &quiet, &explain)) return NULL;
    if (sections != Py_None && !PyBytes_Check(sections))
        return PyErr_Format(PyExc_TypeError, "Watch() needs bytes or None");
    watch *self = (watch *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->sections = sections == Py_None ? NULL : Py_NewRef(sections);
    const char *names = self->sections ? PyBytes_AS_STRING(self->sections) : NULL;
    self->watch = wi_watch(.sections = names, .explain = explain, .quiet = quiet);
    return (PyObject *)self;
}

static void watch_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    watch *self = (watch *)object;
    if (self->watch.is_open) within_core_drop(within_call, &self->watch, WI_END, NULL);
    Py_XDECREF(self->sections);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *watch_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    if (within_core_enter(within_call, &((watch *)self)->watch)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *watch_leave(PyObject *self, PyObject *unused) {
    (void)unused;
    wi_watch *manager = &((watch *)self)->watch;
    if (!manager->is_open) return PyErr_Format(PyExc_RuntimeError, "watch is not in a block");
    if (within_core_exit(within_call, manager, WI_END)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *number_or_none(double number) {
    return isnan(number) ? Py_NewRef(Py_None) : PyFloat_FromDouble(number);
}

static PyObject *text_of(const char *text, size_t length) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
}

static PyObject *lines_of(const char *text) {
    PyObject *list = PyList_New(0), *lines = NULL;
    for (size_t length; list && *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        PyObject *line = text_of(text, length);
        if (!line || PyList_Append(list, line) != 0) Py_CLEAR(list);
        Py_XDECREF(line);
    }
    if (list) lines = PyList_AsTuple(list);
    Py_XDECREF(list);
    return lines;
}

static PyObject *leak_of(const wi_leak *leak) {
    PyObject *section = text_of(leak->section, strlen(leak->section));
    return Py_BuildValue("NssNNdKNN", section, leak->what, leak->text,
                         PyBool_FromLong(leak->is_suspicion), PyBool_FromLong(leak->is_withdrawn),
                         leak->per_call, (unsigned long long)leak->since_call,
                         number_or_none(leak->seconds_left), lines_of(leak->explanation));
}

static PyObject *watch_leaks(PyObject *self, PyObject *unused) {
    (void)unused;
    wi_leak leaks[WI_LEAKS];
    int count = wi_watch_leaks(&((watch *)self)->watch, leaks);
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < count; i++) {
        PyObject *leak = leak_of(&leaks[i]);
        if (!leak || PyList_Append(list, leak) != 0) Py_CLEAR(list);
        Py_XDECREF(leak);
    }
    return list;
}

static PyMethodDef methods[] = {
    {"enter", watch_enter, METH_NOARGS, "Begin."},
    {"leave", watch_leave, METH_NOARGS, "End."},
    {"leaks", watch_leaks, METH_NOARGS, "What was found so far: a list of tuples."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)"The leak watch of a block."},
    {Py_tp_new, watch_new},
    {Py_tp_dealloc, watch_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.Watch",
    .basicsize = sizeof(watch),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_watch(PyObject *module) { return within_add_type(module, &spec, NULL) ? 0 : -1; }
