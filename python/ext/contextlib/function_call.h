/*
 * Python functions whose calls C makes.
 *
 * A decorator has to give a real function: to be a method, to be pickled by its name, to show the signature
 * of what it wraps. Python makes such a function, with a body that works; here its calls are given a
 * shorter way to the same end. 3.11 takes it only for calls from C, and runs the body for others.
 */
#ifndef WITHIN_EXT_FUNCTION_CALL_H
#define WITHIN_EXT_FUNCTION_CALL_H

#include "module.h"

/** Let calls of a function, whose closure has two cells, go to C. @return a new reference to it. */
PyObject *within_function_set_call(PyObject *function, vectorcallfunc call);

/** Make a function look like the one that it stands for: functools.update_wrapper. @return 0 or -1. */
int within_function_wrap(const within_state *state, PyObject *wrapper, PyObject *wrapped);

/** The call as it would have been made. */
PyObject *within_function_call_python(PyObject *function, PyObject *const *args, size_t nargsf,
                                      PyObject *names);

/** What is in a cell of the closure, in the order of their names. @return borrowed; NULL if empty. */
static inline PyObject *within_function_cell(PyObject *function, Py_ssize_t i) {
    PyObject *closure = ((PyFunctionObject *)function)->func_closure;
    return PyCell_GET(PyTuple_GET_ITEM(closure, i));
}

#endif
