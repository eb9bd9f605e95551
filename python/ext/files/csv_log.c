/* within.csv_log: a CSV log, written by the C library's wi_csv. */
#include "files/csv_log.h"
#include "files/csv_values.h"
#include "raised.h"
#include "with_methods.h"

#include <structmember.h>
#include <unistd.h>

/* ---- with ---- */

static PyObject *names_of(const wi_csv *csv) {
    Py_ssize_t count = 0;
    while (wi_csv_column(csv, (size_t)count)) count++;
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; names && i < count; i++) {
        PyObject *name = PyUnicode_InternFromString(wi_csv_column(csv, (size_t)i));
        if (name)
            PyTuple_SET_ITEM(names, i, name);
        else
            Py_CLEAR(names);
    }
    return names;
}

static PyObject *csv_log_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    within_csv_log *log = (within_csv_log *)self;
    if (log->phase != WITHIN_CLOSED)
        return PyErr_Format(PyExc_RuntimeError,
                            "csv_log %R is open already: use one for each block", log->path);
    log->phase = WITHIN_BUSY;
    const int failed = within_core_enter(within_call, &log->csv);
    PyObject *names = failed ? NULL : names_of(&log->csv);
    if (!failed && !names) within_core_exit(within_call, &log->csv, WI_LEFT);
    log->phase = names ? WITHIN_OPEN : WITHIN_CLOSED;
    if (!names) return NULL;
    Py_SETREF(log->columns, names);
    return Py_NewRef(self);
}

/* What other threads are doing with the file is waited for: it is about to be closed. */
static int close_log(within_csv_log *log) {
    log->phase = WITHIN_BUSY;
    while (log->running) {
        Py_BEGIN_ALLOW_THREADS usleep(50);
        Py_END_ALLOW_THREADS
    }
    const int failed = within_core_exit(within_call, &log->csv, WI_LEFT);
    log->phase = WITHIN_CLOSED;
    return failed;
}

static PyObject *csv_log_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    within_csv_log *log = (within_csv_log *)self;
    if (within_csv_log_need_open(log) || close_log(log)) return NULL;
    Py_RETURN_NONE;
}

int within_csv_log_need_open(within_csv_log *log) {
    if (log->phase == WITHIN_OPEN) return 0;
    PyErr_Format(PyExc_RuntimeError, "csv_log %R is not open: use it in its with block", log->path);
    return -1;
}

int within_csv_log_run(within_csv_log *log, void (*fn)(void *arg), void *arg) {
    if (within_csv_log_need_open(log)) return -1;
    log->running++;
    const int failed = within_call(fn, arg);
    log->running--;
    return failed;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", csv_log_enter, METH_NOARGS, "Open the file; the block gets the log."},
    .exit = {"__exit__", WITHIN_FASTCALL(csv_log_exit), "Sync and close the file."},
};

static PyObject *csv_log_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- other methods ---- */

typedef struct truncation {
    wi_csv *csv;
    uint64_t rows;
} truncation;

static void run_truncation(void *self) {
    const truncation *t = self;
    wi_csv_truncate(t->csv, t->rows);
}

static PyObject *csv_log_truncate(PyObject *self, PyObject *rows) {
    within_csv_log *log = (within_csv_log *)self;
    PyObject *index = PyNumber_Index(rows);
    truncation t = {&log->csv, index ? PyLong_AsUnsignedLongLong(index) : 0};
    Py_XDECREF(index);
    if (PyErr_Occurred() || within_csv_log_run(log, run_truncation, &t)) return NULL;
    Py_RETURN_NONE;
}

static void run_sync(void *csv) { wi_csv_sync(csv); }

static PyObject *csv_log_sync(PyObject *self, PyObject *unused) {
    (void)unused;
    within_csv_log *log = (within_csv_log *)self;
    if (within_csv_log_run(log, run_sync, &log->csv)) return NULL;
    Py_RETURN_NONE;
}

/* ---- life ---- */

static int take_sync_every(PyObject *seconds, wi_csv_options *options) {
    if (!seconds || seconds == Py_None) return 0;
    options->sync_every_s = PyFloat_AsDouble(seconds);
    return options->sync_every_s == -1 && PyErr_Occurred() ? -1 : 0;
}

static int take_arguments(within_csv_log *log, PyObject *args, PyObject *keywords) {
    static char *names[] = {"path", "columns", "fresh", "sync_every", NULL};
    PyObject *columns, *sync_every = NULL;
    wi_csv_options options = {0};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O&O|$pO:csv_log", names,
                                     PyUnicode_FSConverter, &log->path_bytes, &columns,
                                     &options.fresh, &sync_every) ||
        take_sync_every(sync_every, &options) || !(log->columns_text = within_csv_columns(columns)))
        return -1;
    const char *path = PyBytes_AS_STRING(log->path_bytes);
    log->csv = wi__csv(path, PyBytes_AS_STRING(log->columns_text), options);
    log->path = PyUnicode_DecodeFSDefault(path);
    log->columns = PyTuple_New(0);
    return log->path && log->columns ? 0 : -1;
}

static PyObject *csv_log_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    within_csv_log *log = (within_csv_log *)type->tp_alloc(type, 0);
    if (!log) return NULL;
    log->manager.call = within_call_for(type, csv_log_call);
    if (take_arguments(log, args, keywords) == 0) return (PyObject *)log;
    Py_DECREF(log);
    return NULL;
}

/* A log that is forgotten in an open block: of a generator that never ends, for example. */
static void csv_log_finalize(PyObject *self) {
    within_csv_log *log = (within_csv_log *)self;
    if (log->phase != WITHIN_OPEN) return;
    PyObject *error = PyErr_Occurred() ? within_take_raised() : NULL;
    if (close_log(log)) PyErr_WriteUnraisable(self);
    if (error) within_raise(error);
}

static void csv_log_dealloc(PyObject *self) {
    within_csv_log *log = (within_csv_log *)self;
    if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(log->path_bytes);
    Py_CLEAR(log->columns_text);
    Py_CLEAR(log->path);
    Py_CLEAR(log->columns);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *csv_log_repr(PyObject *self) {
    const within_csv_log *log = (within_csv_log *)self;
    return PyUnicode_FromFormat("<within.csv_log %R: %llu row%s%s>", log->path,
                                (unsigned long long)log->csv.rows, log->csv.rows == 1 ? "" : "s",
                                log->phase == WITHIN_OPEN ? ", open" : "");
}

PyDoc_STRVAR(
    truncate_doc,
    "truncate($self, rows, /)\n"
    "--\n"
    "\n"
    "Keep the first rows of the file and cut those that follow, to go on where a checkpoint was.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "rows : int\n"
    "    How many stay, of all that the file has; 0 leaves the first line alone.\n"
    "\n"
    "Raises\n"
    "------\n"
    "within.DataError\n"
    "    If there are fewer.\n"
    "OSError\n"
    "    If another process has the log open, or the file cannot be cut.");

PyDoc_STRVAR(sync_doc,
             "sync($self, /)\n"
             "--\n"
             "\n"
             "Bring all rows to the disk now; before a checkpoint that knows of them, say.\n"
             "\n"
             "Raises\n"
             "------\n"
             "OSError\n"
             "    If the disk refuses.");

static PyMethodDef methods[] = {
    {"row", WITHIN_FASTCALL_KEYWORDS(within_csv_log_row), within_csv_log_row_doc},
    {"truncate", csv_log_truncate, METH_O, truncate_doc},
    {"sync", csv_log_sync, METH_NOARGS, sync_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {"path", T_OBJECT, offsetof(within_csv_log, path), READONLY, "The file, as text."},
    {"columns", T_OBJECT, offsetof(within_csv_log, columns), READONLY,
     "A tuple of the columns' names; empty before the log is entered for the first time."},
    {"rows", T_ULONGLONG, offsetof(within_csv_log, csv.rows), READONLY,
     "Rows written since the log was entered."},
    {"cut", T_ULONGLONG, offsetof(within_csv_log, csv.cut), READONLY,
     "Bytes of a torn last row that were cut off when the log was entered."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(doc,
             "csv_log(path, columns, *, fresh=False, sync_every=None)\n"
             "--\n"
             "\n"
             "A CSV log: a row is in the file, whole, when it was written; a program that starts "
             "again goes on.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "path : path-like\n"
             "    A regular file, or none yet. One that is there must begin with the same columns, "
             "and gets more\n"
             "    rows. If its last row was cut off by a kill or a crash, that is cut away, and "
             "said on stderr.\n"
             "columns : str, or iterable of str and (str, type) pairs, or dict\n"
             "    Names with commas between, ``\"snr,ber\"``, perhaps with types: "
             "``\"step:int,loss:float,note:text,ok:bool\"``.\n"
             "    Or ``[\"note\", (\"loss\", float)]``, or ``{\"step\": int, \"loss\": float}``, "
             "with int, float, str and bool.\n"
             "    Rows are checked against the types; a column without one takes any value.\n"
             "fresh : bool\n"
             "    Throw away what the file held.\n"
             "sync_every : float, optional\n"
             "    Seconds after which a row brings all before it to the disk (fsync). The end of "
             "the block does so in\n"
             "    any case, unless it is negative: then only the system does, within a minute.\n"
             "\n"
             "Attributes\n"
             "----------\n"
             "path : str\n"
             "    The file.\n"
             "columns : tuple of str\n"
             "    The names; empty before the log is entered for the first time.\n"
             "rows : int\n"
             "    Rows written since the log was entered.\n"
             "cut : int\n"
             "    Bytes of a torn last row that were cut off when the log was entered.\n"
             "\n"
             "Raises\n"
             "------\n"
             "within.DataError\n"
             "    On entering, if the file begins with other columns.\n"
             "ValueError\n"
             "    On entering, for columns that are none, or a path that is no regular file.\n"
             "OSError\n"
             "    On entering and leaving, for what the system refuses.\n"
             "RuntimeError\n"
             "    If it is entered while it is open.\n"
             "\n"
             "Notes\n"
             "-----\n"
             "Rows stay in the file whatever the block ends by. Several processes may append to "
             "one file. A forked\n"
             "child may write rows too; its end of the block only closes the file for itself.\n"
             "\n"
             "Examples\n"
             "--------\n"
             ">>> import os, tempfile, within as wi\n"
             ">>> path = os.path.join(tempfile.mkdtemp(), \"loss.csv\")\n"
             ">>> for step in 1, 2:\n"
             "...     with wi.csv_log(path, \"step:int,loss:float\") as log:\n"
             "...         log.row(step, 0.5 / step)\n"
             ">>> print(open(path).read(), end=\"\")\n"
             "step,loss\n"
             "1,0.5\n"
             "2,0.25");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_new, csv_log_new},
    {Py_tp_finalize, csv_log_finalize},
    {Py_tp_dealloc, csv_log_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, csv_log_repr},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within.csv_log",
    .basicsize = sizeof(within_csv_log),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_csv_log(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, NULL) ? 0 : -1;
}
