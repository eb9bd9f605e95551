/*
 * The arguments of calls from Python, as vectorcalls have them: an array, then those with names.
 */
#ifndef WITHIN_EXT_ARGUMENTS_H
#define WITHIN_EXT_ARGUMENTS_H

#include "module.h"

/** For a PyMethodDef: the function and its flags. */
#define WITHIN_FASTCALL(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL
#define WITHIN_FASTCALL_KEYWORDS(function)                                                         \
    (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

/** Call type as if it had no tp_vectorcall: its tp_new, then its tp_init. */
PyObject *within_call_type(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *names);

/**
 * Take the arguments of a method, by place or by name; it needs all.
 *
 * @param function    its name, for messages.
 * @param parameters  their names, `most` of them.
 * @param[out] values borrowed references.
 * @return 0, or -1 with a TypeError set.
 */
int within_take_arguments(const char *function, const char *const *parameters, PyObject **values,
                          Py_ssize_t most, PyObject *const *args, Py_ssize_t count,
                          PyObject *names);

/** The same for one: a borrowed reference, or NULL with a TypeError set. */
static inline PyObject *within_one_argument(const char *function, const char *parameter,
                                            PyObject *const *args, Py_ssize_t count,
                                            PyObject *names) {
    PyObject *value;
    if (count == 1 && !names) return args[0];
    if (within_take_arguments(function, &parameter, &value, 1, args, count, names)) return NULL;
    return value;
}

#endif
