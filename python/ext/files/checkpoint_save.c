/* The saving of one checkpoint: what a block makes is published at its end. */
#include "files/checkpoints.h"

#include <string.h>
#include <structmember.h>

#include "core_manager.h"

typedef struct save {
    PyObject_HEAD PyObject *series;
    PyObject *suffix; /* bytes, or NULL for the series' */
    wi_checkpoint_save core;
    within_phase phase;
} save;

/* ---- the block ---- */

static int end(save *s, wi_reason reason) {
    int failed = within_core_exit(within_call, &s->core, reason);
    within_move(&s->phase, WITHIN_BUSY, WITHIN_CLOSED);
    return failed;
}

static PyObject *save_begin(PyObject *self, PyObject *unused) {
    (void)unused;
    save *s = (save *)self;
    if (!within_move(&s->phase, WITHIN_CLOSED, WITHIN_BUSY))
        return PyErr_Format(PyExc_RuntimeError, "this checkpoint is being saved already");
    if (within_core_enter(within_call, &s->core)) {
        within_move(&s->phase, WITHIN_BUSY, WITHIN_CLOSED);
        return NULL;
    }
    PyObject *path = PyUnicode_DecodeFSDefault(s->core.path);
    within_move(&s->phase, WITHIN_BUSY, WITHIN_OPEN);
    return path;
}

/* A generator that is closed has not failed, but not come to its end either: the core says so. */
static wi_reason reason_of(PyObject *type) {
    if (type == Py_None) return WI_END;
    return type == PyExc_GeneratorExit ? WI_LEFT : WI_RAISED;
}

static PyObject *save_end(PyObject *self, PyObject *type) {
    save *s = (save *)self;
    if (!within_move(&s->phase, WITHIN_OPEN, WITHIN_BUSY))
        return PyErr_Format(PyExc_RuntimeError, "this checkpoint is not being saved");
    if (end(s, reason_of(type))) return NULL;
    return PyLong_FromUnsignedLongLong(s->core.sequence);
}

/* ---- metrics ---- */

static int set_metric(wi_metric *metric, PyObject *name, PyObject *value) {
    Py_ssize_t length;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    if (!text && PyErr_Occurred()) return -1;
    if (!text) {
        PyErr_Format(PyExc_TypeError, "the name of a metric is a str, not %.100s",
                     Py_TYPE(name)->tp_name);
        return -1;
    }
    if (length == 0 || length >= WI_METRIC_NAME || strlen(text) != (size_t)length) {
        PyErr_Format(PyExc_ValueError, "metric %R: a name has 1 to %d bytes, none of them 0", name,
                     WI_METRIC_NAME - 1);
        return -1;
    }
    memcpy(metric->name, text, (size_t)length + 1);
    metric->value = PyFloat_AsDouble(value);
    if (metric->value != -1 || !PyErr_Occurred()) return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "metric %R must be a number, not %.100s", name,
                     Py_TYPE(value)->tp_name);
    return -1;
}

static int set_metrics(wi_checkpoint_save_options *options, PyObject *metrics) {
    PyObject *name, *value;
    Py_ssize_t at = 0, count = 0;
    if (PyDict_GET_SIZE(metrics) > WI_METRICS) {
        PyErr_Format(PyExc_ValueError, "a checkpoint has at most %d metrics, and this one has %zd",
                     WI_METRICS, PyDict_GET_SIZE(metrics));
        return -1;
    }
    while (PyDict_Next(metrics, &at, &name, &value))
        if (set_metric(&options->metrics[count++], name, value)) return -1;
    return 0;
}

/* ---- life ---- */

static int save_set(save *s, PyTypeObject *type, PyObject *args) {
    wi_checkpoint_save_options options = {.step = 0};
    const within_state *shared = within_state_of_type(type);
    PyObject *suffix, *metrics, *series;
    long long step;
    if (!shared || !PyArg_ParseTuple(args, "O!LOO!:checkpoint_save", shared->checkpoint_series,
                                     &series, &step, &suffix, &PyDict_Type, &metrics))
        return -1;
    if (suffix != Py_None && !PyUnicode_FSConverter(suffix, &s->suffix)) return -1;
    options.step = step;
    options.suffix = s->suffix ? PyBytes_AS_STRING(s->suffix) : NULL;
    if (set_metrics(&options, metrics)) return -1;
    s->series = Py_NewRef(series);
    s->core = wi__checkpoint_save(&((within_series *)series)->core, options);
    return 0;
}

static PyObject *save_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)keywords;
    save *s = (save *)type->tp_alloc(type, 0);
    if (s && save_set(s, type, args) == 0) return (PyObject *)s;
    Py_XDECREF(s);
    return NULL;
}

/* A block that nobody has ended. */
static void save_finalize(PyObject *self) {
    save *s = (save *)self;
    if (!within_move(&s->phase, WITHIN_OPEN, WITHIN_BUSY)) return;
    within_core_drop(within_call, &s->core, WI_LEFT, self);
    within_move(&s->phase, WITHIN_BUSY, WITHIN_CLOSED);
}

static void save_dealloc(PyObject *self) {
    save *s = (save *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc(self)) return;
    Py_XDECREF(s->series);
    Py_XDECREF(s->suffix);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"begin", save_begin, METH_NOARGS, "Begin the block, and return the path to write."},
    {"end", save_end, METH_O,
     "End it, with the type of its exception or None: its sequence, or 0."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)"A checkpoint that is being saved, as the core has it."},
    {Py_tp_new, save_new},
    {Py_tp_finalize, save_finalize},
    {Py_tp_dealloc, save_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.checkpoint_save",
    .basicsize = sizeof(save),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_checkpoint_save(PyObject *module) {
    return within_add_type(module, &spec, NULL) ? 0 : -1;
}
