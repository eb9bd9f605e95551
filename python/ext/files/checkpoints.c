/* A series of checkpoints: what is in it is found by the core. */
#include "files/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "core_manager.h"

/* ---- what was passed over, noted without the GIL ---- */

typedef struct passed {
    char *name, *why;
} passed;

typedef struct passed_list {
    passed *items;
    Py_ssize_t count;
} passed_list;

/* Without memory it is not noted; the search goes on. */
static void note_passed(void *arg, const char *name, const char *why) {
    passed_list *list = arg;
    passed *items = realloc(list->items, (size_t)(list->count + 1) * sizeof *items);
    if (!items) return;
    list->items = items;
    items[list->count] = (passed){strdup(name), strdup(why)};
    list->count++;
}

static void free_passed(passed_list *list) {
    for (Py_ssize_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].why);
    }
    free(list->items);
}

static PyObject *text_of(const char *text) { return PyUnicode_DecodeFSDefault(text ? text : ""); }

/* A list of (name, why). */
static PyObject *tuples_of(const passed_list *list) {
    PyObject *tuples = PyList_New(list->count);
    for (Py_ssize_t i = 0; tuples && i < list->count; i++) {
        PyObject *name = text_of(list->items[i].name), *why = text_of(list->items[i].why);
        PyObject *tuple = name && why ? PyTuple_Pack(2, name, why) : NULL;
        Py_XDECREF(name);
        Py_XDECREF(why);
        if (!tuple)
            Py_CLEAR(tuples);
        else
            PyList_SET_ITEM(tuples, i, tuple);
    }
    return tuples;
}

/* ---- searching ---- */

typedef struct search {
    wi_checkpoints series; /* a copy: options are this search's */
    const char *metric;    /* for the best */
    int (*find)(struct search *s);
    wi_checkpoint found;
    int is_found;
    passed_list passed;
} search;

static int find_latest(search *s) { return wi_checkpoint_latest(&s->series, &s->found); }
static int find_next(search *s) { return wi_checkpoint_next(&s->series, &s->found); }
static int find_best(search *s) { return wi_checkpoint_best(&s->series, s->metric, &s->found); }

static void run(void *arg) {
    search *s = arg;
    s->is_found = s->find(s);
}

static PyObject *metrics_of(const wi_checkpoint *checkpoint) {
    PyObject *metrics = PyDict_New();
    for (int i = 0; metrics && i < WI_METRICS && checkpoint->metrics[i].name[0]; i++) {
        PyObject *name = PyUnicode_DecodeFSDefault(checkpoint->metrics[i].name);
        PyObject *value = PyFloat_FromDouble(checkpoint->metrics[i].value);
        int failed = !name || !value || PyDict_SetItem(metrics, name, value);
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (failed) Py_CLEAR(metrics);
    }
    return metrics;
}

/* (path, sequence, step, time in s, metrics), or None. */
static PyObject *found_of(const search *s) {
    const wi_checkpoint *found = &s->found;
    if (!s->is_found) Py_RETURN_NONE;
    PyObject *path = PyUnicode_DecodeFSDefault(found->path), *metrics = metrics_of(found);
    PyObject *tuple =
        path && metrics
            ? Py_BuildValue("OKLdO", path, (unsigned long long)found->sequence,
                            (long long)found->step, 1e-9 * (double)found->time_ns, metrics)
            : NULL;
    Py_XDECREF(path);
    Py_XDECREF(metrics);
    return tuple;
}

/* (what was found or None, what was passed over). */
static PyObject *result_of(search *s) {
    s->series.options.passed_over = note_passed;
    s->series.options.arg = &s->passed;
    PyObject *found = NULL, *tuples = NULL, *result = NULL;
    if (within_call(run, s) == 0) {
        found = found_of(s);
        tuples = found ? tuples_of(&s->passed) : NULL;
    }
    if (tuples) result = PyTuple_Pack(2, found, tuples);
    Py_XDECREF(found);
    Py_XDECREF(tuples);
    free_passed(&s->passed);
    return result;
}

static PyObject *series_latest(PyObject *self, PyObject *unused) {
    (void)unused;
    search s = {.series = ((within_series *)self)->core, .find = find_latest};
    return result_of(&s);
}

static PyObject *series_next(PyObject *self, PyObject *before) {
    search s = {.series = ((within_series *)self)->core, .find = find_next};
    s.found.sequence = PyLong_AsUnsignedLongLong(before);
    return PyErr_Occurred() ? NULL : result_of(&s);
}

static PyObject *series_best(PyObject *self, PyObject *args) {
    search s = {.series = ((within_series *)self)->core, .find = find_best};
    if (!PyArg_ParseTuple(args, "sp:best", &s.metric, &s.series.options.best_is_max)) return NULL;
    return result_of(&s);
}

/* ---- the block ---- */

static PyObject *none_after(int failed) {
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static PyObject *series_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    return none_after(within_core_enter(within_call, &((within_series *)self)->core));
}

static PyObject *series_leave(PyObject *self, PyObject *unused) {
    (void)unused;
    return none_after(within_core_exit(within_call, &((within_series *)self)->core, WI_END));
}

/* ---- life ---- */

/* The core's options; @return 0, or -1 with an error set. */
static int make_core(within_series *series, int keep, PyObject *best, int is_max) {
    if (best != Py_None && !PyUnicode_FSConverter(best, &series->best)) return -1;
    series->core =
        wi_checkpoints(PyBytes_AS_STRING(series->folder), .keep = keep,
                       .suffix = PyBytes_AS_STRING(series->suffix),
                       .best_metric = series->best ? PyBytes_AS_STRING(series->best) : NULL,
                       .best_is_max = is_max);
    return 0;
}

static PyObject *series_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)keywords;
    within_series *series = (within_series *)type->tp_alloc(type, 0);
    PyObject *best;
    int keep, is_max;
    if (series &&
        PyArg_ParseTuple(args, "O&iOpO&:checkpoint_series", PyUnicode_FSConverter, &series->folder,
                         &keep, &best, &is_max, PyUnicode_FSConverter, &series->suffix) &&
        make_core(series, keep, best, is_max) == 0)
        return (PyObject *)series;
    Py_XDECREF(series);
    return NULL;
}

static void series_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    within_series *series = (within_series *)self;
    Py_XDECREF(series->folder);
    Py_XDECREF(series->suffix);
    Py_XDECREF(series->best);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"enter", series_enter, METH_NOARGS, "Make the folder, and remove what the dead left."},
    {"leave", series_leave, METH_NOARGS, "End what enter began."},
    {"latest", series_latest, METH_NOARGS, "The newest that is whole, and what was passed over."},
    {"next", series_next, METH_O, "The first after a sequence, and what was passed over."},
    {"best", series_best, METH_VARARGS, "The best by a metric, and what was passed over."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)"A series of checkpoints, as the core has it."},
    {Py_tp_new, series_new},
    {Py_tp_dealloc, series_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._within.checkpoint_series",
    .basicsize = sizeof(within_series),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_checkpoints(PyObject *module) {
    PyTypeObject *type = within_add_type(module, &spec, NULL);
    return type ? within_hold_type(&within_state_of(module)->checkpoint_series, type) : -1;
}
