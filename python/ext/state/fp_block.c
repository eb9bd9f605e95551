/* The core's managers of floating-point arithmetic in objects of Python. */
#include "state/fp_block.h"

#include "core_manager.h"

/* The core is called without the GIL, and other threads may have the object. */
static int take(within_fp_block *block) {
    if (block->is_busy) {
        PyErr_Format(PyExc_RuntimeError, "%.200s: another thread is entering or leaving it",
                     block->core.any.protocol->name);
        return -1;
    }
    block->is_busy = 1;
    return 0;
}

int within_fp_enter(within_fp_block *block) {
    if (take(block)) return -1;
    int failed = within_core_enter(within_call, &block->core);
    block->is_busy = 0;
    if (!failed) Py_INCREF(block);
    return failed;
}

int within_fp_exit(within_fp_block *block, wi_reason reason) {
    if (!within_fp_is_open(block)) {
        PyErr_Format(PyExc_RuntimeError, "%.200s: it is in no block",
                     block->core.any.protocol->name);
        return -1;
    }
    if (take(block)) return -1;
    int failed = within_core_exit(within_call, &block->core, reason);
    block->is_busy = 0;
    return failed;
}

int within_fp_choose(const char *function, PyObject *word, const char *const *words, int n) {
    if (!PyUnicode_Check(word)) {
        PyErr_Format(PyExc_TypeError, "%s() takes words, not %.200s", function,
                     Py_TYPE(word)->tp_name);
        return -1;
    }
    for (int i = 0; i < n; i++)
        if (PyUnicode_CompareWithASCIIString(word, words[i]) == 0) return i;
    PyObject *all = PyUnicode_FromString("");
    for (int i = 0; all && i < n; i++)
        Py_SETREF(all, PyUnicode_FromFormat("%U%s'%s'", all, i ? i < n - 1 ? ", " : " and " : "",
                                            words[i]));
    if (all) PyErr_Format(PyExc_ValueError, "%s: %R is none of %U", function, word, all);
    Py_XDECREF(all);
    return -1;
}

void within_fp_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}
