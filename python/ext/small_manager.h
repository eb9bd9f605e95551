/*
 * Managers that are made of one argument and remember at most one thing more: their common object.
 */
#ifndef WITHIN_EXT_SMALL_MANAGER_H
#define WITHIN_EXT_SMALL_MANAGER_H

#include "instance.h"

typedef struct within_small_manager {
    within_instance instance;
    PyObject *argument; /* what it was made of */
    PyObject *memory;   /* what is to be restored; or NULL */
} within_small_manager;

/** Fill in what depends on the argument; 0, or -1 with an error set. NULL: nothing does. */
typedef int (*within_remember)(within_small_manager *self);

/** Make an object of exactly this type; takes no reference to argument but its own. */
PyObject *within_small_manager_make(PyTypeObject *type, vectorcallfunc call, PyObject *argument,
                                    within_remember remember);

/** A tp_new's body: the object before its tp_init; also for subclasses. */
PyObject *within_small_manager_new(PyTypeObject *type, vectorcallfunc call);

/** Set the argument, as __init__ does. */
int within_small_manager_set(PyObject *self, PyObject *argument, within_remember remember);

int within_small_manager_traverse(PyObject *self, visitproc visit, void *arg);
int within_small_manager_clear(PyObject *self);
void within_small_manager_dealloc(PyObject *self);

#define WITHIN_SMALL_MANAGER_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC)

static inline within_small_manager *within_small_manager_of(PyObject *self) {
    return (within_small_manager *)self;
}

/** A member, borrowed; or NULL with an AttributeError: a subclass did not call __init__. */
static inline PyObject *within_small_manager_need(PyObject *self, PyObject *member,
                                                  const char *name) {
    if (!member)
        PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute '%s'",
                     Py_TYPE(self)->tp_name, name);
    return member;
}

#endif
