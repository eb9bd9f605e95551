/*
 * __enter__ and the like: found on the type of any object, and called.
 *
 * There are two ways to find them, for programs whose metaclasses or descriptors tell them apart: that of
 * statements, and that of contextlib's exit stacks, which up to 3.14 is another.
 */
#ifndef WITHIN_EXT_SPECIAL_METHOD_H
#define WITHIN_EXT_SPECIAL_METHOD_H

#include "module.h"
#include "unbroken.h"

/** A method to be called with its object first; or bound, to be called without. */
typedef struct within_special_method {
    PyObject *function; /* a new reference */
    int bound;
} within_special_method;

/** As statements find it. @return 1; 0 if the type has none, with no error set; -1 with an error set. */
int within_find_special(PyObject *object, PyObject *name, within_special_method *method);

/**
 * As exit stacks of the running version find it: up to 3.14 that is type(object).name, which a static method, a
 * metaclass or a descriptor can make anything.
 *
 * @return 1; 0 with an AttributeError set: there is none; -1 with another error set.
 */
int within_find_of_type(PyObject *object, PyObject *name, within_special_method *method);

/**
 * Find both methods of a manager, as exit stacks do, in the order of the running version.
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

/** Call an __exit__ with type, value and traceback. */
static inline PyObject *within_call_exit(within_special_method method, PyObject *object,
                                         PyObject *const details[3]) {
    PyObject *args[] = {object, details[0], details[1], details[2]}, *result;
    unsigned long around = within_unbroken_begin();
    if (method.bound)
        result = PyObject_Vectorcall(method.function, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                     NULL);
    else
        result = PyObject_Vectorcall(method.function, args, 4, NULL);
    within_unbroken_end(around);
    return result;
}

#endif
