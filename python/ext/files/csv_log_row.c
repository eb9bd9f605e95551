/* csv_log.row: Python's values as a row. */
#include "files/csv_log.h"
#include "files/csv_values.h"
#include "raised.h"

/* Rows of more columns need memory. */
#define FEW_COLUMNS 32

typedef struct row {
    within_csv_log *log;
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
static Py_ssize_t column_named(const within_csv_log *log, PyObject *name, Py_ssize_t i) {
    const Py_ssize_t count = PyTuple_GET_SIZE(log->columns);
    if (i < count && PyTuple_GET_ITEM(log->columns, i) == name) return i;
    for (i = 0; i < count; i++)
        if (PyUnicode_Compare(PyTuple_GET_ITEM(log->columns, i), name) == 0) return i;
    return -1;
}

static int refuse_names(const within_csv_log *log, const char *format, PyObject *name) {
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
    return within_csv_log_run(r->log, write_row, r);
}

PyObject *within_csv_log_row(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *names) {
    within_csv_log *log = (within_csv_log *)self;
    wi_csv_value few[FEW_COLUMNS];
    if (names && PyTuple_GET_SIZE(names) == 0) names = NULL;
    if (within_csv_log_need_open(log)) return NULL;
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

const char within_csv_log_row_doc[] =
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
    "2,0.0001";
