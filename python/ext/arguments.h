/*
 * The arguments of calls from Python, as vectorcalls have them: an array, then those with names.
 */
#ifndef WITHIN_EXT_ARGUMENTS_H
#define WITHIN_EXT_ARGUMENTS_H

#include "module.h"

#define WITHIN_FASTCALL_KEYWORDS(function)                                                         \
    (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

/** Call type as if it had no tp_vectorcall: its tp_new, then its tp_init. */
PyObject *within_call_type(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *names);

/**
 * Take the one argument of a method, positional or by its name.
 *
 * @return a borrowed reference, or NULL with a TypeError that names function and parameter.
 */
PyObject *within_one_argument(const char *function, const char *parameter, PyObject *const *args,
                              Py_ssize_t count, PyObject *names);

#endif
