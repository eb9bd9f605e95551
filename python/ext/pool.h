/*
 * Memory of a few objects of one size that were freed, for the next ones.
 *
 * Only objects of exactly the module's own types come from here, never those of subclasses, whose size may be
 * another. An object in the pool has no references; its fields are as they were when it was kept, in fresh
 * memory zero. On free-threaded builds nothing is kept.
 */
#ifndef WITHIN_EXT_POOL_H
#define WITHIN_EXT_POOL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define WITHIN_POOL_SIZE 32

typedef struct within_pool {
    PyObject *objects[WITHIN_POOL_SIZE];
    int count;
    freefunc free; /* of all that are in it: their type's */
} within_pool;

/** An object from fresh memory; its fields are zero, and the collector does not track it yet. */
PyObject *within_pool_fresh(PyTypeObject *type);

/** An object that the collector does not track yet. Without a pool: a fresh one. */
static inline PyObject *within_pool_new(within_pool *pool, PyTypeObject *type) {
    if (!pool || pool->count == 0) return within_pool_fresh(type);
    return PyObject_Init(pool->objects[--pool->count], type);
}

/** Keep the memory of an object, or free it: without a pool, or when that is full. Lets go of its type. */
static inline void within_pool_keep(within_pool *pool, PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
#ifdef Py_GIL_DISABLED
    pool = NULL;
#endif
    if (pool && pool->count < WITHIN_POOL_SIZE) {
        pool->free = type->tp_free;
        pool->objects[pool->count++] = object;
    } else {
        type->tp_free(object);
    }
    Py_DECREF(type);
}

/** Free what is kept. */
void within_pool_clear(within_pool *pool);

#endif
