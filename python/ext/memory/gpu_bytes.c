/*
 * What the leak watch asks Python of GPU memory: how much the library in use has given out. Without one the CUDA driver
 * is asked.
 *
 * A library's functions may let other threads run, which may be at a look of their own: it is asked before the counters
 * are locked.
 */
#include "memory/may_ask.h"

#include "manage/counters.h"
#include "unbroken.h"

/* Of the look that this thread is at. */
static __thread struct {
    int is_known; /* to Python, or to nobody */
    int64_t bytes;
} level;

static int has_library(void) {
    static const char *const names[] = {"torch", "cupy", "jax"};
    PyObject *modules = PyImport_GetModuleDict();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (PyDict_GetItemString(modules, names[i])) return 1;
    return 0;
}

/* An interrupt that came meanwhile comes again; all else is what makes the level unknown. */
static void drop_error(void) {
    int is_interrupt = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    PyErr_Clear();
    if (is_interrupt) PyErr_SetInterrupt();
}

static void ask(void) {
    PyObject *function = within_import("within._gpu_sources", "in_use");
    PyObject *bytes = function ? PyObject_CallNoArgs(function) : NULL;
    level.is_known = bytes != Py_None;
    level.bytes = bytes && PyLong_Check(bytes) ? PyLong_AsLongLong(bytes) : WI__ABSENT;
    if (PyErr_Occurred()) {
        level.bytes = WI__ABSENT;
        drop_error();
    }
    Py_XDECREF(bytes);
    Py_XDECREF(function);
}

/* The exception that is on its way is not disturbed. */
static void prepare(void) {
    PyObject *kind, *error, *traceback;
    level.is_known = 0;
    if (!within_may_ask() || !has_library()) return;
    unsigned long around = within_unbroken_begin();
    PyErr_Fetch(&kind, &error, &traceback);
    ask();
    PyErr_Restore(kind, error, traceback);
    within_unbroken_end(around);
}

static int64_t read_level(void) { return level.is_known ? level.bytes : wi__gpu_counter.read(); }

int within_add_gpu_bytes(PyObject *module) {
    static wi__counter counter;
    (void)module;
    if (counter.read) return 0;
    counter = wi__gpu_counter;
    counter.prepare = prepare;
    counter.read = read_level;
    wi__counter_add(&counter);
    return 0;
}
