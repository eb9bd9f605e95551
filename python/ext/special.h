/* Special methods, found as statements find them: on the type. */
#ifndef WITHIN_EXT_SPECIAL_H
#define WITHIN_EXT_SPECIAL_H

#include "module.h"

/** A method ready to be called, with the object in front of the arguments if it isn't bound. */
typedef struct within_special {
    PyObject *method; /* a new reference */
    PyObject *self;   /* borrowed; NULL if the method is bound */
} within_special;

/** Find a method. @return 1; 0 if the type has none, with no error set; -1 with an error set. */
int within_special_find(within_special *special, PyObject *object, PyObject *name);

/** Call it. args[0] is free to be written; the arguments are args[1] to args[count]. */
PyObject *within_special_call(const within_special *special, PyObject **args, size_t count);

#endif
