/*
 * Managers as decorators: the function that stands for the decorated one, and its call inside the manager.
 */
#ifndef WITHIN_EXT_CONTEXT_DECORATOR_H
#define WITHIN_EXT_CONTEXT_DECORATOR_H

#include "module.h"

/** `manager(func)`: the decorated function. The arguments are those of the call. */
PyObject *within_decorate(PyObject *manager, PyObject *const *args, size_t nargsf, PyObject *names);

/** A call that waits: as a vector, or as a tuple and a dictionary. */
typedef struct within_call {
    PyObject *func;
    PyObject *const *args; /* NULL: tuple and keywords */
    size_t nargsf;
    PyObject *names;
    PyObject *tuple, *keywords;
} within_call;

/** Call a function inside a generator's manager that is no subclass's: the fresh one is a generator. */
PyObject *within_generator_manager_call_inside(const within_state *state, PyObject *manager,
                                               const within_call *call);
bool within_is_generator_manager(PyObject *manager);

static inline PyObject *within_make_call(const within_call *call) {
    if (call->tuple) return PyObject_Call(call->func, call->tuple, call->keywords);
    return PyObject_Vectorcall(call->func, call->args, call->nargsf, call->names);
}

#endif
