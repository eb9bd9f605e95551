/* __enter__ and the like of any object's type, as contextlib of the running version looks them up. */
#ifndef WITHIN_EXT_SPECIAL_METHOD_H
#define WITHIN_EXT_SPECIAL_METHOD_H

#include "module.h"

/** A method to be called with its object first; or bound, to be called without (from 3.15 on). */
typedef struct within_special_method {
    PyObject *function;
    int bound;
} within_special_method;

/** Look a method up. @return 1, 0 with an AttributeError set: there is none, or -1 with another error set. */
int within_find_special(PyObject *object, PyObject *name, within_special_method *method);

/**
 * Look both methods of a manager up, in the order that the running version does.
 *
 * @param kind  "context manager", for the TypeError.
 * @return 1, or 0 with an error set: from 3.11 on "object does not support the {kind} protocol".
 */
int within_find_pair(PyObject *manager, PyObject *enter_name, PyObject *exit_name, const char *kind,
                     within_special_method *enter_method, within_special_method *exit_method);

static inline PyObject *within_call_special(within_special_method method, PyObject *object) {
    return method.bound ? PyObject_CallNoArgs(method.function)
                        : PyObject_CallOneArg(method.function, object);
}

#endif
