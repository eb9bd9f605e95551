/* within.csv_log: a CSV log, written by the C library's wi_csv. */
#include "core_call.h"
#include "files/csv_values.h"
#include "raised.h"
#include "with_methods.h"

#include <structmember.h>
#include <unistd.h>

/* Rows of more columns need memory. */
#define FEW_COLUMNS 32

/* BUSY: it is being opened or closed, without the GIL. */
typedef enum state { CLOSED, BUSY, OPEN } state;

typedef struct csv_log {
    within_manager manager;
    wi_csv csv;             /* borrows from the next two */
    PyObject *path_bytes;   /* as the system has it */
    PyObject *columns_text; /* as the C library reads it */
    PyObject *path;         /* as text */
    PyObject *columns;      /* a tuple of the names; empty until it was opened */
    int writing;            /* calls that threads are in without the GIL */
    state state;
} csv_log;

/* ---- with ---- */

static void enter(void *csv) { ((wi_csv *)csv)->protocol->enter(csv); }

static void leave(void *csv) { ((wi_csv *)csv)->protocol->exit(csv, WI_LEFT, NULL); }

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
    csv_log *log = (csv_log *)self;
    if (log->state != CLOSED)
        return PyErr_Format(PyExc_RuntimeError,
                            "csv_log %R is open already: use one for each block", log->path);
    log->state = BUSY;
    const int failed = within_call(enter, &log->csv);
    PyObject *names = failed ? NULL : names_of(&log->csv);
    if (!failed && !names) within_call(leave, &log->csv);
    log->state = names ? OPEN : CLOSED;
    if (!names) return NULL;
    Py_SETREF(log->columns, names);
    return Py_NewRef(self);
}

/* Rows that other threads are writing are waited for: their file is about to be closed. */
static int close_log(csv_log *log) {
    log->state = BUSY;
    while (log->writing) {
        Py_BEGIN_ALLOW_THREADS usleep(50);
        Py_END_ALLOW_THREADS
    }
    const int failed = within_call(leave, &log->csv);
    log->state = CLOSED;
    return failed;
}

static PyObject *csv_log_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)args, (void)count;
    csv_log *log = (csv_log *)self;
    if (log->state != OPEN)
        return PyErr_Format(PyExc_RuntimeError, "csv_log %R is not open", log->path);
    if (close_log(log)) return NULL;
    Py_RETURN_NONE;
}

static const within_with_methods with_methods = {
    .enter = {"__enter__", csv_log_enter, METH_NOARGS, "Open the file; the block gets the log."},
    .exit = {"__exit__", WITHIN_FASTCALL(csv_log_exit), "Sync and close the file."},
};

static PyObject *csv_log_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names) {
    return within_with_call(self, args, nargsf, names, &with_methods);
}

/* ---- rows ---- */

typedef struct row {
    csv_log *log;
    wi_csv_value *values;
    size_t count;
    PyObject *kept;
} row;

static void write_row(void *self) {
    const row *r = self;
    wi_csv_write(&r->log->csv, r->values, r->count);
}

/* An error about a cell, as one that says where it is. */
static void name_cell(const row *r, Py_ssize_t column) {
    PyObject *error = within_take_raised();
    PyObject *type = PyErr_GivenExceptionMatches(error, PyExc_OverflowError) ? PyExc_OverflowError
                     : PyErr_GivenExceptionMatches(error, PyExc_ValueError)  ? PyExc_ValueError
                                                                             : NULL;
    if (!type) {
        within_raise(error);
        return;
    }
    PyErr_Format(type, "%U: row %llu: column \"%U\": %S", r->log->path,
                 (unsigned long long)r->log->csv.rows + 1,
                 PyTuple_GET_ITEM(r->log->columns, column), error);
    Py_DECREF(error);
}

static int set_cell(row *r, Py_ssize_t column, PyObject *object) {
    const int is_value = within_csv_value(object, &r->values[column], &r->kept);
    if (is_value > 0) return 0;
    if (is_value < 0)
        name_cell(r, column);
    else
        PyErr_Format(PyExc_TypeError,
                     "%U: row %llu: column \"%U\" takes " WITHIN_CSV_TAKES ", not %.200s",
                     r->log->path, (unsigned long long)r->log->csv.rows + 1,
                     PyTuple_GET_ITEM(r->log->columns, column), Py_TYPE(object)->tp_name);
    return -1;
}

/* A wrong number of values is what the C library complains of, before it looks at any. */
static int set_cells(row *r, PyObject *const *objects) {
    if ((Py_ssize_t)r->count != PyTuple_GET_SIZE(r->log->columns)) return 0;
    for (Py_ssize_t i = 0; i < (Py_ssize_t)r->count; i++)
        if (set_cell(r, i, objects[i])) return -1;
    return 0;
}

/* The column of a name, which is probably the i-th; -1 if there is none. */
static Py_ssize_t column_named(const csv_log *log, PyObject *name, Py_ssize_t i) {
    const Py_ssize_t count = PyTuple_GET_SIZE(log->columns);
    if (i < count && PyTuple_GET_ITEM(log->columns, i) == name) return i;
    for (i = 0; i < count; i++)
        if (PyUnicode_Compare(PyTuple_GET_ITEM(log->columns, i), name) == 0) return i;
    return -1;
}

static int refuse_names(const csv_log *log, const char *format, PyObject *name) {
    PyObject *what = PyUnicode_FromFormat(format, name),
             *comma = what ? PyUnicode_FromString(", ") : NULL;
    PyObject *columns = comma ? PyUnicode_Join(comma, log->columns) : NULL;
    if (columns)
        PyErr_Format(PyExc_ValueError, "%U: row %llu %U (%U)", log->path,
                     (unsigned long long)log->csv.rows + 1, what, columns);
    Py_XDECREF(columns);
    Py_XDECREF(comma);
    Py_XDECREF(what);
    return -1;
}

/* A name is there once: as many as there are columns, and all known, are all of them. */
static int set_named_cells(row *r, PyObject *const *objects, PyObject *names) {
    const Py_ssize_t count = PyTuple_GET_SIZE(names), columns = PyTuple_GET_SIZE(r->log->columns);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        const Py_ssize_t column = column_named(r->log, name, i);
        if (column < 0)
            return refuse_names(r->log, "has a value for \"%U\", which is no column", name);
        if (set_cell(r, column, objects[i])) return -1;
    }
    for (Py_ssize_t i = 0; i < columns && count < columns; i++) {
        PyObject *column = PyTuple_GET_ITEM(r->log->columns, i);
        const int is_there = PySequence_Contains(names, column);
        if (is_there < 0) return -1;
        if (!is_there) return refuse_names(r->log, "has no value for column \"%U\"", column);
    }
    r->count = (size_t)columns;
    return 0;
}

static int write_cells(row *r, PyObject *const *objects, PyObject *names) {
    if (names ? set_named_cells(r, objects, names) : set_cells(r, objects)) return -1;
    r->log->writing++;
    const int failed = within_call(write_row, r);
    r->log->writing--;
    return failed;
}

static int is_open(const csv_log *log) {
    if (log->state == OPEN) return 1;
    PyErr_Format(PyExc_RuntimeError, "csv_log %R is not open: write rows in its with block",
                 log->path);
    return 0;
}

static PyObject *csv_log_row(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *names) {
    csv_log *log = (csv_log *)self;
    wi_csv_value few[FEW_COLUMNS];
    if (names && PyTuple_GET_SIZE(names) == 0) names = NULL;
    if (!is_open(log)) return NULL;
    if (count && names)
        return PyErr_Format(PyExc_TypeError, "row() takes values or names with values, not both");
    const Py_ssize_t columns = PyTuple_GET_SIZE(log->columns);
    row r = {log, few, (size_t)count, NULL};
    if (columns > FEW_COLUMNS && !(r.values = PyMem_New(wi_csv_value, columns)))
        return PyErr_NoMemory();
    const int failed = write_cells(&r, args, names);
    if (r.values != few) PyMem_Free(r.values);
    Py_XDECREF(r.kept);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

/* ---- the file as a whole ---- */

typedef struct cut {
    csv_log *log;
    unsigned long long rows;
} cut;

static void truncate_file(void *arg) {
    const cut *c = arg;
    wi_csv_truncate(&c->log->csv, c->rows);
}

static void sync_file(void *arg) { wi_csv_sync(&((csv_log *)arg)->csv); }

/* Call the core with an open log, which is not closed meanwhile. */
static PyObject *with_log(csv_log *log, void (*call)(void *arg), void *arg) {
    if (!is_open(log)) return NULL;
    log->writing++;
    const int failed = within_call(call, arg);
    log->writing--;
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static PyObject *csv_log_truncate(PyObject *self, PyObject *rows) {
    PyObject *number = PyNumber_Index(rows);
    cut c = {(csv_log *)self, number ? PyLong_AsUnsignedLongLong(number) : 0};
    Py_XDECREF(number);
    if (PyErr_Occurred()) return NULL;
    return with_log(c.log, truncate_file, &c);
}

static PyObject *csv_log_sync(PyObject *self, PyObject *unused) {
    (void)unused;
    return with_log((csv_log *)self, sync_file, self);
}

/* ---- life ---- */

static int take_sync_every(PyObject *seconds, wi_csv_options *options) {
    if (!seconds || seconds == Py_None) return 0;
    options->sync_every_s = PyFloat_AsDouble(seconds);
    return options->sync_every_s == -1 && PyErr_Occurred() ? -1 : 0;
}

static int take_arguments(csv_log *log, PyObject *args, PyObject *keywords) {
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
    csv_log *log = (csv_log *)type->tp_alloc(type, 0);
    if (!log) return NULL;
    log->manager.call = within_call_for(type, csv_log_call);
    if (take_arguments(log, args, keywords) == 0) return (PyObject *)log;
    Py_DECREF(log);
    return NULL;
}

/* A log that is forgotten in an open block: of a generator that never ends, for example. */
static void csv_log_finalize(PyObject *self) {
    csv_log *log = (csv_log *)self;
    if (log->state != OPEN) return;
    PyObject *error = PyErr_Occurred() ? within_take_raised() : NULL;
    if (close_log(log)) PyErr_WriteUnraisable(self);
    if (error) within_raise(error);
}

static void csv_log_dealloc(PyObject *self) {
    csv_log *log = (csv_log *)self;
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
    const csv_log *log = (csv_log *)self;
    return PyUnicode_FromFormat("<within.csv_log %R: %llu row%s%s>", log->path,
                                (unsigned long long)log->csv.rows, log->csv.rows == 1 ? "" : "s",
                                log->state == OPEN ? ", open" : "");
}

PyDoc_STRVAR(
    row_doc,
    "row(*values, **named_values)\n"
    "--\n"
    "\n"
    "Write a row: when it returns, the row is in the file, whole.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "*values : int, float, bool, str, path or None\n"
    "    One for each column; or all by the columns' names. None is an empty cell. What has an\n"
    "    ``__index__`` or ``__float__`` counts as int or float: NumPy's scalars, tensors with one\n"
    "    element. ``numpy.float32`` gets the shortest text that reads back as this float32.\n"
    "\n"
    "Raises\n"
    "------\n"
    "TypeError\n"
    "    For a value of any other type.\n"
    "ValueError\n"
    "    If there are not as many values as columns, a name is no column's, or a column was "
    "declared\n"
    "    with another type. (OverflowError for an int of more than 64 bits.)\n"
    "OSError\n"
    "    If the row cannot be written; or, when that is due, synced.\n"
    "RuntimeError\n"
    "    Outside of the log's block.\n"
    "\n"
    "Notes\n"
    "-----\n"
    "Unless it is syncing that failed, a row that raises an error is not in the file, and nothing "
    "of\n"
    "it. Threads may write rows at the same time.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> import os, tempfile, within as wi\n"
    ">>> path = os.path.join(tempfile.mkdtemp(), \"ber.csv\")\n"
    ">>> with wi.csv_log(path, \"snr,ber\") as log:\n"
    "...     log.row(1.5, 3.2e-4)\n"
    "...     log.row(ber=1e-4, snr=2)\n"
    ">>> print(open(path).read(), end=\"\")\n"
    "snr,ber\n"
    "1.5,0.00032\n"
    "2,0.0001");

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
    {"row", WITHIN_FASTCALL_KEYWORDS(csv_log_row), row_doc},
    {"truncate", csv_log_truncate, METH_O, truncate_doc},
    {"sync", csv_log_sync, METH_NOARGS, sync_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    WITHIN_VECTORCALL_MEMBER,
    {"path", T_OBJECT, offsetof(csv_log, path), READONLY, "The file, as text."},
    {"columns", T_OBJECT, offsetof(csv_log, columns), READONLY,
     "A tuple of the columns' names; empty before the log is entered for the first time."},
    {"rows", T_ULONGLONG, offsetof(csv_log, csv.rows), READONLY,
     "Rows written since the log was entered."},
    {"cut", T_ULONGLONG, offsetof(csv_log, csv.cut), READONLY,
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
    .basicsize = sizeof(csv_log),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int within_add_csv_log(PyObject *module) {
    return within_add_manager(module, &spec, NULL, &with_methods, NULL) ? 0 : -1;
}
