/*
 * The extension module within._runs, which the first `wi.run` imports: it needs SQLite, and nothing else of the
 * package does.
 *
 * A part is a file with one type or one idea. Non-static names begin with within_.
 */
#ifndef WITHIN_EXT_RUNS_H
#define WITHIN_EXT_RUNS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <within/run.h>

#include "core_calls.h"

/* Of within._within, which is imported before and stays. */
extern const within_core_calls *within_core;

/* Calls of the core that any type may be in the way of on builds without a GIL; the GIL does on others. */
#if PY_VERSION_HEX >= 0x030D0000
#define WITHIN_BEGIN_LOCKED(object) Py_BEGIN_CRITICAL_SECTION(object)
#define WITHIN_END_LOCKED Py_END_CRITICAL_SECTION()
#else
#define WITHIN_BEGIN_LOCKED(object) {
#define WITHIN_END_LOCKED }
#endif

typedef enum within_phase { WITHIN_CLOSED, WITHIN_BUSY, WITHIN_OPEN, WITHIN_OVER } within_phase;

/* A run of a block in Python; within/_open_run.py derives from it. */
typedef struct within_run {
    PyObject_HEAD PyObject *name, *database,
        *resume;      /* bytes that the core borrows; the last two may be NULL */
    PyObject *series; /* a metric's name -> the address of its wi_series, while the run is open */
    wi_run core;
    int64_t next_step; /* of a call without one */
    int waiting;       /* threads that wait for room in the journal: it stays until they have it */
    within_phase phase;
    char status[16]; /* how it ended; empty before */
} within_run;

/** A text as the core takes it, borrowed from the object; NULL with an error set, which names what it is. */
const char *within_text(PyObject *text, const char *what);

/** Raise that the run is not open. @return -1 */
int within_not_open(const within_run *run);

/** run.log(step=None, **metrics): METH_FASTCALL | METH_KEYWORDS. */
PyObject *within_run_log(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
/** The same of any names, by place: a step or None, a tuple of names, one of values, and a time in ms or None. */
PyObject *within_run_log_named(PyObject *self, PyObject *const *args, Py_ssize_t count);

int within_add_run(PyObject *module);
int within_add_database(PyObject *module);

#endif
