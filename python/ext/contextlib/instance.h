/*
 * What instances of Python classes have, for types in C: attributes, weak references, T[x], copies.
 *
 * A type whose objects begin with within_instance lists WITHIN_INSTANCE_MEMBERS, _METHODS and _GETSET.
 */
#ifndef WITHIN_EXT_INSTANCE_H
#define WITHIN_EXT_INSTANCE_H

#include "arguments.h"
#include "with_methods.h"

#include <structmember.h>

typedef struct within_instance {
    within_manager manager;
    PyObject *attributes; /* the __dict__, once there is one */
    PyObject *weak_references;
} within_instance;

#define WITHIN_INSTANCE_MEMBERS                                                                    \
    {"__dictoffset__", T_PYSSIZET, offsetof(within_instance, attributes), READONLY, NULL}, {       \
        "__weaklistoffset__", T_PYSSIZET, offsetof(within_instance, weak_references), READONLY,    \
            NULL                                                                                   \
    }

#define WITHIN_INSTANCE_GENERIC {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL}

/* Copying and pickling, of types whose whole state is in attributes and in members of kind T_OBJECT_EX. */
#define WITHIN_INSTANCE_STATE                                                                      \
    {"__getstate__", within_get_state, METH_NOARGS, NULL}, {                                       \
        "__setstate__", within_set_state, METH_O, NULL                                             \
    }

PyObject *within_get_state(PyObject *self, PyObject *unused);
PyObject *within_set_state(PyObject *self, PyObject *state);

/** {Py_tp_getset}: the __dict__. */
extern PyGetSetDef within_instance_getset[];

#endif
