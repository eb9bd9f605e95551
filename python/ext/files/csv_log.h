/* within.csv_log, for the files that it is made of. */
#ifndef WITHIN_EXT_FILES_CSV_LOG_H
#define WITHIN_EXT_FILES_CSV_LOG_H

#include "core_manager.h"
#include "with_methods.h"

#include <within/csv.h>

typedef struct within_csv_log {
    within_manager manager;
    wi_csv csv;             /* borrows from the next two */
    PyObject *path_bytes;   /* as the system has it */
    PyObject *columns_text; /* as the C library reads it */
    PyObject *path;         /* as text */
    PyObject *columns;      /* a tuple of the names; empty until it was opened */
    int running;            /* calls of the core by threads, without the GIL */
    within_phase phase;     /* busy: it is being opened or closed, without the GIL */
} within_csv_log;

/** Is a block of the log open? -1 with an error set: none. */
int within_csv_log_need_open(within_csv_log *log);
/** Call a function that uses the core's log, without the GIL. -1 with an error set: it raised, or no block is open. */
int within_csv_log_run(within_csv_log *log, void (*fn)(void *arg), void *arg);

/** The method row(). */
PyObject *within_csv_log_row(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *names);
extern const char within_csv_log_row_doc[];

#endif
