/* A run of a block in Python: begun, noted in and ended as the core does it. log.c has its points. */
#include "runs/runs.h"

#include <string.h>
#include <unistd.h>

#include "runs/open_run.h"

/* ---- texts ---- */

const char *within_text(PyObject *text, const char *what) {
    Py_ssize_t length;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(text)->tp_name);
        return NULL;
    }
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes && strlen(bytes) != (size_t)length) {
        PyErr_Format(PyExc_ValueError, "%s must not contain a null character: %R", what, text);
        return NULL;
    }
    return bytes;
}

int within_not_open(const within_run *run) {
    PyErr_Format(PyExc_RuntimeError, "run %s is not open", PyBytes_AS_STRING(run->name));
    return -1;
}

/* ---- beginning ---- */

/* Threads may try at the same time: one of them gets its way. */
static int move(within_run *run, within_phase from, within_phase to) {
    int is_moved = 0;
    WITHIN_BEGIN_LOCKED(run)
    is_moved = run->phase == from;
    if (is_moved) run->phase = to;
    WITHIN_END_LOCKED
    return is_moved;
}

static void core_enter(void *core) { ((wi_run *)core)->protocol->enter(core); }

static PyObject *run_begin(PyObject *self, PyObject *parent) {
    within_run *run = (within_run *)self;
    const char *id = parent == Py_None ? "" : within_text(parent, "a parent's id");
    if (!id) return NULL;
    if (!move(run, WITHIN_CLOSED, WITHIN_BUSY))
        return PyErr_Format(PyExc_RuntimeError,
                            "run %s was begun already: each block needs one of its own",
                            PyBytes_AS_STRING(run->name));
    wi__run_child_of(&run->core, id);
    int failed = within_core->call(core_enter, &run->core);
    move(run, WITHIN_BUSY, failed ? WITHIN_CLOSED : WITHIN_OPEN);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* ---- notes ---- */

typedef struct note {
    wi_run *run;
    const char *key, *value;
} note;

static void core_param(void *arg) {
    const note *n = arg;
    wi_run_param(n->run, n->key, "%s", n->value);
}

static void core_tag(void *arg) {
    const note *n = arg;
    wi_run_tag(n->run, n->key, "%s", n->value);
}

static void core_environment(void *arg) {
    const note *n = arg;
    wi__run_environment(n->run, n->key, n->value);
}

static void core_artifact(void *arg) {
    const note *n = arg;
    wi_run_artifact(n->run, n->value, n->key);
}

static void core_text(void *arg) {
    const note *n = arg;
    wi_run_text(n->run, n->key, n->value);
}

/* Short notes are written with the GIL held: so nobody ends the run meanwhile. */
static PyObject *append(within_run *run, void (*fn)(void *arg), note *n) {
    int failed;
    WITHIN_BEGIN_LOCKED(run)
    failed = run->phase != WITHIN_OPEN ? within_not_open(run) : within_core->call_with_gil(fn, n);
    WITHIN_END_LOCKED
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *append_texts(PyObject *self, PyObject *args, void (*fn)(void *arg)) {
    within_run *run = (within_run *)self;
    PyObject *key, *value;
    if (!PyArg_ParseTuple(args, "OO", &key, &value)) return NULL;
    note n = {&run->core, within_text(key, "a name"), NULL};
    if (!n.key || !(n.value = within_text(value, "a value"))) return NULL;
    return append(run, fn, &n);
}

static PyObject *run_param(PyObject *self, PyObject *args) {
    return append_texts(self, args, core_param);
}

static PyObject *run_tag(PyObject *self, PyObject *args) {
    return append_texts(self, args, core_tag);
}

static PyObject *run_environment(PyObject *self, PyObject *args) {
    return append_texts(self, args, core_environment);
}

/* ---- artifacts ---- */

/* Long ones take their time: the caller sees to it that nobody ends the run meanwhile. */
static PyObject *keep(within_run *run, void (*fn)(void *arg), note *n) {
    if (run->phase != WITHIN_OPEN) within_not_open(run);
    if (run->phase != WITHIN_OPEN || within_core->call(fn, n)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *run_artifact(PyObject *self, PyObject *args) {
    within_run *run = (within_run *)self;
    PyObject *name, *path, *kept;
    if (!PyArg_ParseTuple(args, "OO&", &name, PyUnicode_FSConverter, &path)) return NULL;
    note n = {&run->core, NULL, PyBytes_AS_STRING(path)};
    if (name != Py_None) n.key = within_text(name, "an artifact's name");
    kept = name != Py_None && !n.key ? NULL : keep(run, core_artifact, &n);
    Py_DECREF(path);
    return kept;
}

static PyObject *run_text(PyObject *self, PyObject *args) {
    within_run *run = (within_run *)self;
    PyObject *name, *text;
    if (!PyArg_ParseTuple(args, "OO", &name, &text)) return NULL;
    note n = {&run->core, within_text(name, "an artifact's name"), NULL};
    if (!n.key || !(n.value = within_text(text, "the text"))) return NULL;
    return keep(run, core_text, &n);
}

/* ---- ending ---- */

typedef struct ending {
    wi_run *run;
    const char *status, *error; /* error: NULL for none */
    long long number;           /* signal, or exit status; -1: not known */
} ending;

static void core_exit(void *arg) {
    const ending *e = arg;
    if (!e->run->open->is_inherited) wi__run_outcome(e->run, e->status, e->number, e->error);
    e->run->protocol->exit(e->run, WI_END, NULL);
}

/* A forked child has none of those threads. */
static void wait_for_those_who_wait(const within_run *run) {
    while (run->waiting && !run->core.open->is_inherited) {
        Py_BEGIN_ALLOW_THREADS usleep(1000);
        Py_END_ALLOW_THREADS
    }
}

/* Nobody logs from now on; the core may take its time, without the GIL. A forked child leaves the run to its parent. */
static int end(within_run *run, const char *status, const char *error, long long number) {
    ending e = {&run->core, status, error, number};
    if (!move(run, WITHIN_OPEN, WITHIN_BUSY)) return within_not_open(run);
    wait_for_those_who_wait(run);
    int failed = within_core->call(core_exit, &e);
    if (!failed) snprintf(run->status, sizeof run->status, "%s", status);
    move(run, WITHIN_BUSY, WITHIN_OVER);
    return failed;
}

static PyObject *run_end(PyObject *self, PyObject *args) {
    const char *status, *error;
    long long number;
    if (!PyArg_ParseTuple(args, "szL:end", &status, &error, &number)) return NULL;
    return end((within_run *)self, status, error, number) ? NULL : Py_NewRef(Py_None);
}

/* A run that nobody has ended. */
static void run_finalize(PyObject *self) {
    within_run *run = (within_run *)self;
    if (run->phase != WITHIN_OPEN) return;
    PyObject *kind, *value, *traceback;
    PyErr_Fetch(&kind, &value, &traceback);
    if (end(run, "FAILED", "the run's block was never ended", -1)) PyErr_WriteUnraisable(self);
    PyErr_Restore(kind, value, traceback);
}

/* ---- life ---- */

static int take_name(within_run *run, PyObject *name) {
    const char *text = within_text(name, "a run's name");
    run->name = text ? PyBytes_FromString(text) : NULL;
    return run->name ? 0 : -1;
}

static int take_options(within_run *run, PyObject *database, PyObject *resume, double timeout_s) {
    if (database != Py_None && !PyUnicode_FSConverter(database, &run->database)) return -1;
    const char *id = resume == Py_None ? NULL : within_text(resume, "resume");
    if (id) run->resume = PyBytes_FromString(id);
    if (resume != Py_None && !run->resume) return -1;
    run->core = wi_run(PyBytes_AS_STRING(run->name),
                       .database = run->database ? PyBytes_AS_STRING(run->database) : NULL,
                       .resume = run->resume ? PyBytes_AS_STRING(run->resume) : NULL,
                       .busy_timeout_s = timeout_s);
    return 0;
}

static PyObject *run_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)keywords;
    PyObject *name, *database, *resume;
    double timeout_s;
    if (!PyArg_ParseTuple(args, "OOOd:Run", &name, &database, &resume, &timeout_s)) return NULL;
    within_run *run = (within_run *)type->tp_alloc(type, 0);
    if (!run) return NULL;
    run->series = PyDict_New();
    if (run->series && !take_name(run, name) && !take_options(run, database, resume, timeout_s))
        return (PyObject *)run;
    Py_DECREF(run);
    return NULL;
}

static void run_dealloc(PyObject *self) {
    within_run *run = (within_run *)self;
    PyTypeObject *type = Py_TYPE(self);
    /* That of a subclass has called it before it came here. */
    if (type->tp_dealloc == run_dealloc && PyObject_CallFinalizerFromDealloc(self)) return;
    Py_XDECREF(run->name);
    Py_XDECREF(run->database);
    Py_XDECREF(run->resume);
    Py_XDECREF(run->series);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *get_name(PyObject *self, void *unused) {
    (void)unused;
    return PyUnicode_FromString(PyBytes_AS_STRING(((within_run *)self)->name));
}

static PyObject *get_id(PyObject *self, void *unused) {
    (void)unused;
    const char *id = ((within_run *)self)->core.id;
    if (!*id) Py_RETURN_NONE;
    return PyUnicode_FromString(id);
}

static PyObject *get_is_open(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(((within_run *)self)->phase == WITHIN_OPEN);
}

static PyObject *get_status(PyObject *self, void *unused) {
    (void)unused;
    const within_run *run = (within_run *)self;
    if (run->phase == WITHIN_OPEN) return PyUnicode_FromString("RUNNING");
    if (!*run->status) Py_RETURN_NONE;
    return PyUnicode_FromString(run->status);
}

static PyObject *go_on(PyObject *self, PyObject *step) {
    within_run *run = (within_run *)self;
    long long next = PyLong_AsLongLong(step);
    if (next == -1 && PyErr_Occurred()) return NULL;
    run->next_step = next;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    log_doc,
    "log($self, step=None, **metrics)\n--\n\n"
    "Log a point of each metric: numbers, or what float() takes but for texts.\n\n"
    "What was logged survives kill -9 once the call returns.\n\n"
    "Parameters\n----------\n"
    "step : int, optional\n"
    "    Without one it is one more than in the last such call; the first is 0.\n"
    "**metrics : number\n"
    "    NaN and infinities too.\n\n"
    "Raises\n------\n"
    "TypeError\n    A value is no number, which names the metric. Nothing of the call is logged.\n"
    "OverflowError\n    It is an int that is too large for a double.\n"
    "RuntimeError\n    The run is not open.\n"
    "OSError\n    The disk is full.");

static PyMethodDef methods[] = {
    {"log", (PyCFunction)(void (*)(void))within_run_log, METH_FASTCALL | METH_KEYWORDS, log_doc},
    {"_log_named", (PyCFunction)(void (*)(void))within_run_log_named, METH_FASTCALL,
     "The same of any names: a step or None, tuples of names and values, and a time or None."},
    {"_begin", run_begin, METH_O, "Begin it: its parent's id, or None."},
    {"_go_on", go_on, METH_O, "The next step of a call without one."},
    {"_param", run_param, METH_VARARGS, "Note a parameter: two texts."},
    {"_tag", run_tag, METH_VARARGS, "Note a tag: two texts."},
    {"_environment", run_environment, METH_VARARGS, "Note a row of the environment: two texts."},
    {"_artifact", run_artifact, METH_VARARGS, "Keep a file: a name or None, and its path."},
    {"_text", run_text, METH_VARARGS, "Keep a text: its name, and the text."},
    {"_end", run_end, METH_VARARGS,
     "End it: status, error or None, signal or exit status. A forked child leaves it alone."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"name", get_name, NULL, "As it was given.", NULL},
    {"id", get_id, NULL, "32 hexadecimal digits; None before the block.", NULL},
    {"status", get_status, NULL,
     "None before the block, \"RUNNING\" in it, then \"FINISHED\", \"FAILED\" or \"INTERRUPTED\".",
     NULL},
    {"_is_open", get_is_open, NULL, "Is it?", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)"A run, as the core has it."},
    {Py_tp_new, run_new},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {Py_tp_finalize, run_finalize},
    {Py_tp_dealloc, run_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._runs.Run",
    .basicsize = sizeof(within_run),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

int within_add_run(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = !type || PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}
