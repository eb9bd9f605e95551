/* What the leak watch asks Python: how many blocks its allocator has given out, and to collect garbage. */
#include "memory/may_ask.h"

#include "manage/counters.h"

static int64_t ask(void) {
    PyObject *function = PySys_GetObject("getallocatedblocks");
    PyObject *count = function ? PyObject_CallNoArgs(function) : NULL;
    int64_t blocks = count && PyLong_Check(count) ? PyLong_AsLongLong(count) : WI__ABSENT;
    Py_XDECREF(count);
    return blocks;
}

/* The exception that is on its way is not disturbed. */
static int64_t read_blocks(void) {
    if (!within_may_ask()) return WI__ABSENT;
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    int64_t blocks = ask();
    PyErr_Restore(kind, error, traceback);
    return blocks;
}

/* Does nothing where the program has switched collecting off: then garbage is what it wants to keep. */
static int collect(void) {
    if (!within_may_ask()) return 0;
    PyGC_Collect();
    return 1;
}

static const wi__counter python_blocks = {
    .one = "Python block",
    .many = "Python blocks",
    .growth = WI__IS_SUSPICION,
    .least = 10000,
    .read = read_blocks,
};

/* Builds without that lock count by stopping all threads: that is no counter. */
int within_add_python_blocks(PyObject *module) {
    (void)module;
#ifndef Py_GIL_DISABLED
    wi__counter_add(&python_blocks);
    wi__counters_settle_by(collect);
#else
    (void)python_blocks, (void)collect;
#endif
    return 0;
}
