/* Points from Python: the numbers of a call are taken, then all are logged. */
#include "raised.h"
#include "runs/runs.h"

enum { ON_THE_STACK = 16 };

/* One metric of a call. */
typedef struct metric {
    PyObject *name; /* borrowed from the call */
    double value;
    wi_series *series;
} metric;

typedef struct call {
    metric *metrics;
    Py_ssize_t count;
    int64_t step, ms;
    int has_ms; /* else it is now */
} call;

/* ---- numbers ---- */

/* What Python says of a value that is no number, or is too large for a double, stands behind what we say. */
static int no_number(PyObject *name, PyObject *value) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return -1;
    int is_too_large = PyErr_ExceptionMatches(PyExc_OverflowError);
    PyObject *cause = within_take_raised();
    if (is_too_large)
        PyErr_Format(PyExc_OverflowError, "metric '%U' is too large for a double", name);
    else
        PyErr_Format(PyExc_TypeError, "metric '%U' must be a number, not %.200s", name,
                     Py_TYPE(value)->tp_name);
    PyObject *error = within_take_raised();
    PyException_SetCause(error, cause);
    within_raise(error);
    return -1;
}

/* NumPy's complex numbers have a __float__, which drops the imaginary part. */
static double number_of(PyObject *value) {
    if (!PyComplex_Check(value)) return PyFloat_AsDouble(value);
    PyErr_SetString(PyExc_TypeError, "it is complex");
    return -1.0;
}

static int take_number(metric *m, PyObject *name, PyObject *value) {
    m->name = name;
    if (PyFloat_CheckExact(value)) {
        m->value = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    m->value = number_of(value);
    return m->value == -1.0 && PyErr_Occurred() ? no_number(name, value) : 0;
}

/* A step or a time. @return 1 if it is given, 0 for None, -1 with an error set. */
static int take_integer(PyObject *integer, int64_t *number) {
    if (integer == Py_None) return 0;
    PyObject *index = PyNumber_Index(integer);
    if (!index) return -1;
    *number = PyLong_AsLongLong(index);
    Py_DECREF(index);
    return *number == -1 && PyErr_Occurred() ? -1 : 1;
}

/* ---- into the core ---- */

static void add_all(void *arg) {
    const call *c = arg;
    for (Py_ssize_t i = 0; i < c->count; i++) {
        const metric *m = &c->metrics[i];
        if (c->has_ms)
            wi__series_add_at(m->series, c->step, m->value, c->ms);
        else
            wi_series_add(m->series, c->step, m->value);
    }
}

typedef struct naming {
    wi_run *run;
    const char *name;
    wi_series *series;
} naming;

static void find_series(void *arg) {
    naming *n = arg;
    n->series = wi_run_series(n->run, n->name);
}

static int remember(within_run *run, PyObject *name, wi_series *series) {
    PyObject *address = PyLong_FromVoidPtr(series);
    int failed = !address || PyDict_SetItem(run->series, name, address);
    Py_XDECREF(address);
    return failed ? -1 : 0;
}

/* Names in calls are interned: a look-up mostly compares addresses. */
static int look_up(within_run *run, metric *m) {
    PyObject *address = PyDict_GetItemWithError(run->series, m->name);
    if (address) {
        m->series = PyLong_AsVoidPtr(address);
        return 0;
    }
    if (PyErr_Occurred()) return -1;
    naming n = {&run->core, within_text(m->name, "a metric's name"), NULL};
    if (!n.name || within_core->call_with_gil(find_series, &n)) return -1;
    m->series = n.series;
    return remember(run, m->name, n.series);
}

typedef struct room {
    wi_run *run;
    size_t points;
} room;

static void make_room(void *arg) {
    const room *r = arg;
    wi__run_wait_for_room(r->run, r->points);
}

/* Without the GIL: a thread that needs it may be what holds the database. The run stays as long: see end(). */
static int wait_for_room(within_run *run, Py_ssize_t points) {
    room wanted = {&run->core, (size_t)points};
    run->waiting++;
    int failed = within_core->call(make_room, &wanted);
    run->waiting--;
    return failed;
}

/* Names of a class derived from str are compared by its code, and other threads may run meanwhile. */
static int add_points(within_run *run, call *c, int has_step) {
    wi_error *error = NULL;
    if (run->phase != WITHIN_OPEN) return within_not_open(run);
    for (Py_ssize_t i = 0; i < c->count; i++)
        if (look_up(run, &c->metrics[i])) return -1;
    if (run->phase == WITHIN_OPEN && !wi__run_has_room(&run->core, (size_t)c->count) &&
        wait_for_room(run, c->count))
        return -1;
    if (run->phase != WITHIN_OPEN) return within_not_open(run);
    if (!has_step) c->step = run->next_step++;
    return wi_call(add_all, c, &error) ? 0 : within_core->raise_error(error);
}

static int add(within_run *run, call *c, int has_step) {
    int failed;
    WITHIN_BEGIN_LOCKED(run)
    failed = add_points(run, c, has_step);
    WITHIN_END_LOCKED
    return failed;
}

/* ---- the calls ---- */

static int is_step(PyObject *name) {
    return PyUnicode_GET_LENGTH(name) == 4 && PyUnicode_CompareWithASCIIString(name, "step") == 0;
}

/* The names' values stand behind the arguments without names. */
static int take_call(call *c, PyObject **step, PyObject *const *values, PyObject *names) {
    Py_ssize_t count = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!is_step(name)) {
            if (take_number(&c->metrics[c->count++], name, values[i])) return -1;
        } else if (*step) {
            PyErr_SetString(PyExc_TypeError, "log() got multiple values for argument 'step'");
            return -1;
        } else {
            *step = values[i];
        }
    }
    return 0;
}

static int begin_call(call *c, metric *few, Py_ssize_t most) {
    *c = (call){.metrics = most > ON_THE_STACK ? PyMem_New(metric, most) : few};
    if (!c->metrics) PyErr_NoMemory();
    return c->metrics ? 0 : -1;
}

/* Log what was taken, unless an error is set; NULL for `step` if so. */
static PyObject *end_call(within_run *run, call *c, const metric *few, PyObject *step) {
    int has_step = step ? take_integer(step, &c->step) : -1;
    int failed = has_step < 0 || add(run, c, has_step);
    if (c->metrics != few) PyMem_Free(c->metrics);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyObject *within_run_log(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    if (count > 1)
        return PyErr_Format(PyExc_TypeError,
                            "log() takes one argument without a name, the step (%zd given)", count);
    metric few[ON_THE_STACK];
    call c;
    if (begin_call(&c, few, names ? PyTuple_GET_SIZE(names) : 0)) return NULL;
    PyObject *step = count ? args[0] : NULL;
    int failed = take_call(&c, &step, args + count, names);
    return end_call((within_run *)self, &c, few, failed ? NULL : step ? step : Py_None);
}

static int take_named(call *c, PyObject *names, PyObject *values) {
    for (; c->count < PyTuple_GET_SIZE(names); c->count++) {
        PyObject *name = PyTuple_GET_ITEM(names, c->count);
        if (!within_text(name, "a metric's name")) return -1;
        if (take_number(&c->metrics[c->count], name, PyTuple_GET_ITEM(values, c->count))) return -1;
    }
    return 0;
}

PyObject *within_run_log_named(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyTuple_Check(args[1]) || !PyTuple_Check(args[2]) ||
        PyTuple_GET_SIZE(args[1]) != PyTuple_GET_SIZE(args[2]))
        return PyErr_Format(PyExc_TypeError,
                            "a step, tuples of names and values, and a time are needed");
    metric few[ON_THE_STACK];
    call c;
    if (begin_call(&c, few, PyTuple_GET_SIZE(args[1]))) return NULL;
    int failed = take_named(&c, args[1], args[2]);
    if (!failed) failed = (c.has_ms = take_integer(args[3], &c.ms)) < 0;
    return end_call((within_run *)self, &c, few, failed ? NULL : args[0]);
}
