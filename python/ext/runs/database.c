/* A database of runs, read: rows of a query as tuples, and a series' points as arrays. */
#include "runs/runs.h"

#include "runs/recover.h"
#include "runs/series_data.h"

/* SQLite sees to it that one thread uses the connection at a time. */
typedef struct database {
    PyObject_HEAD PyObject *path; /* bytes that the core borrows */
    wi_database store;            /* its handle is NULL while it is closed */
} database;

/* ---- opening ---- */

static void open_store(void *arg) {
    database *d = arg;
    wi__runs_open(&d->store, PyBytes_AS_STRING(d->path));
}

static PyObject *database_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)keywords;
    database *d = (database *)type->tp_alloc(type, 0);
    if (d && PyArg_ParseTuple(args, "O&:Database", PyUnicode_FSConverter, &d->path) &&
        within_core->call(open_store, d) == 0)
        return (PyObject *)d;
    Py_XDECREF(d);
    return NULL;
}

static void database_dealloc(PyObject *self) {
    database *d = (database *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (d->store.handle) wi__store_close(&d->store);
    Py_XDECREF(d->path);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- errors of SQLite ---- */

typedef struct failure {
    sqlite3 *db;
    int code;
} failure;

static void raise_failure(void *arg) {
    const failure *f = arg;
    wi_sqlite_check(f->db, f->code, "read");
}

/* @return NULL */
static PyObject *failed(database *d, int code) {
    failure f = {d->store.handle, code};
    within_core->call_with_gil(raise_failure, &f);
    return NULL;
}

static int is_open(database *d) {
    if (d->store.handle) return 1;
    PyErr_SetString(PyExc_RuntimeError,
                    "the database of runs was opened before this process was forked");
    return 0;
}

/* ---- queries ---- */

static PyObject *cell(sqlite3_stmt *statement, int i) {
    switch (sqlite3_column_type(statement, i)) {
    case SQLITE_INTEGER: return PyLong_FromLongLong(sqlite3_column_int64(statement, i));
    case SQLITE_FLOAT: return PyFloat_FromDouble(sqlite3_column_double(statement, i));
    case SQLITE_NULL: Py_RETURN_NONE;
    default: /* programs in C may have given other bytes than UTF-8 */
        return PyUnicode_DecodeUTF8((const char *)sqlite3_column_text(statement, i),
                                    sqlite3_column_bytes(statement, i), "backslashreplace");
    }
}

static PyObject *row(sqlite3_stmt *statement) {
    int count = sqlite3_column_count(statement);
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0; tuple && i < count; i++) {
        PyObject *value = cell(statement, i);
        if (value)
            PyTuple_SET_ITEM(tuple, i, value);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* The first step may wait for others' locks, or sort. */
static int first_step(sqlite3_stmt *statement) {
    int code;
    Py_BEGIN_ALLOW_THREADS code = sqlite3_step(statement);
    Py_END_ALLOW_THREADS return code;
}

/* @return SQLITE_DONE, another code of SQLite, or -1 with an error of Python's set. */
static int add_rows(PyObject *list, sqlite3_stmt *statement) {
    for (int code = first_step(statement);; code = sqlite3_step(statement)) {
        if (code != SQLITE_ROW) return code;
        PyObject *tuple = row(statement);
        int is_added = tuple && PyList_Append(list, tuple) == 0;
        Py_XDECREF(tuple);
        if (!is_added) return -1;
    }
}

static int bind(sqlite3_stmt *statement, PyObject *texts) {
    int code = SQLITE_OK;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(texts) && code == SQLITE_OK; i++) {
        const char *text = within_text(PyTuple_GET_ITEM(texts, i), "a parameter");
        if (!text) return -1;
        code = sqlite3_bind_text(statement, (int)i + 1, text, -1, SQLITE_TRANSIENT);
    }
    return code;
}

static PyObject *rows_of(database *d, const char *sql, PyObject *texts) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(d->store.handle, sql, -1, &statement, NULL);
    PyObject *list = code == SQLITE_OK ? PyList_New(0) : NULL;
    if (list) code = bind(statement, texts);
    if (list && code == SQLITE_OK) code = add_rows(list, statement);
    sqlite3_finalize(statement);
    if (PyErr_Occurred() || code == SQLITE_DONE) {
        if (PyErr_Occurred()) Py_CLEAR(list);
        return list;
    }
    Py_XDECREF(list);
    return failed(d, code);
}

static PyObject *database_rows(PyObject *self, PyObject *args) {
    database *d = (database *)self;
    const char *sql;
    PyObject *texts, *list = NULL;
    if (!PyArg_ParseTuple(args, "sO!:rows", &sql, &PyTuple_Type, &texts)) return NULL;
    WITHIN_BEGIN_LOCKED(self)
    if (is_open(d)) list = rows_of(d, sql, texts);
    WITHIN_END_LOCKED
    return list;
}

/* ---- series ---- */

static PyObject *array_of(int64_t count) {
    return PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(8 * count));
}

/* Millions of points take their time. @return SQLite's code */
static int read_points(database *d, int64_t series, int64_t count, PyObject *steps,
                       PyObject *values, PyObject *ms) {
    int64_t *to_steps = (int64_t *)PyByteArray_AS_STRING(steps);
    double *to_values = (double *)PyByteArray_AS_STRING(values);
    int64_t *to_ms = (int64_t *)PyByteArray_AS_STRING(ms), read = 0;
    int code;
    Py_BEGIN_ALLOW_THREADS code =
        wi__series_read(d->store.handle, series, 0, count, to_steps, to_ms, to_values, &read);
    Py_END_ALLOW_THREADS return code == SQLITE_OK && read != count ? SQLITE_CORRUPT : code;
}

/* (steps, values, ms), bytes of int64, double and int64. */
static PyObject *points_of(database *d, int64_t series, int64_t count) {
    PyObject *steps = array_of(count), *values = array_of(count), *ms = array_of(count);
    PyObject *tuple = steps && values && ms ? PyTuple_Pack(3, steps, values, ms) : NULL;
    int code = tuple ? read_points(d, series, count, steps, values, ms) : SQLITE_OK;
    Py_XDECREF(steps);
    Py_XDECREF(values);
    Py_XDECREF(ms);
    if (code == SQLITE_OK) return tuple;
    Py_XDECREF(tuple);
    return failed(d, code);
}

static PyObject *find_and_read(database *d, int64_t run, const char *name) {
    int64_t series, count;
    int code = wi__series_find(d->store.handle, run, name, &series, &count);
    if (code != SQLITE_OK) return failed(d, code);
    if (!series) Py_RETURN_NONE;
    return points_of(d, series, count);
}

static PyObject *database_series(PyObject *self, PyObject *args) {
    database *d = (database *)self;
    long long run;
    PyObject *name, *points = NULL;
    if (!PyArg_ParseTuple(args, "LO:series", &run, &name)) return NULL;
    const char *text = within_text(name, "a metric's name");
    if (!text) return NULL;
    WITHIN_BEGIN_LOCKED(self)
    if (is_open(d)) points = find_and_read(d, run, text);
    WITHIN_END_LOCKED
    return points;
}

/* ---- the type ---- */

static PyMethodDef methods[] = {
    {"rows", database_rows, METH_VARARGS,
     "The rows of a query, tuples: its SQL, and a tuple of texts."},
    {"series", database_series, METH_VARARGS,
     "A series by a run's row and its name: steps, values and milliseconds as bytes; None if there "
     "is none."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)"A database of runs, open to read; dead runs are put right on the way."},
    {Py_tp_new, database_new},
    {Py_tp_methods, methods},
    {Py_tp_dealloc, database_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "within._runs.Database",
    .basicsize = sizeof(database),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int within_add_database(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = !type || PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}
