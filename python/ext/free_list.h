/*
 * A short list of freed objects of one size, whose memory the next ones take.
 *
 * The memory holds no references. Free-threaded builds have no such lists: a list would need a lock,
 * and their allocator is per thread already.
 */
#ifndef WITHIN_EXT_FREE_LIST_H
#define WITHIN_EXT_FREE_LIST_H

#include "module.h"

typedef struct within_free_list {
    PyObject *first; /* linked by ob_type */
    int count;
} within_free_list;

#define WITHIN_FREE_LIST_MAX 32

/** A garbage-collected object, its fields not set, not tracked. @return NULL with an error set. */
static inline PyObject *within_free_list_new(within_free_list *list, PyTypeObject *type) {
#ifndef Py_GIL_DISABLED
    PyObject *self = list->first;
    if (self) {
        list->first = (PyObject *)Py_TYPE(self);
        list->count--;
        return PyObject_Init(self, type);
    }
#endif
    (void)list;
    return (PyObject *)PyObject_GC_New(PyObject, type);
}

/** Free an untracked object whose fields are cleared. The caller drops its reference to the type. */
static inline void within_free_list_free(within_free_list *list, PyObject *self) {
#ifndef Py_GIL_DISABLED
    if (list->count < WITHIN_FREE_LIST_MAX) {
        Py_SET_TYPE(self, (PyTypeObject *)list->first);
        list->first = self;
        list->count++;
        return;
    }
#endif
    (void)list;
    PyObject_GC_Del(self);
}

/** Give the memory back, when the module goes. */
static inline void within_free_list_clear(within_free_list *list) {
    while (list->first) {
        PyObject *self = list->first;
        list->first = (PyObject *)Py_TYPE(self);
        Py_SET_TYPE(self,
                    &PyTuple_Type); /* from any such type Python sees where the memory begins */
        PyObject_GC_Del(self);
    }
    list->count = 0;
}

#endif
