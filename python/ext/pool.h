/*
 * Memory of a few objects of one size that were freed, for the next ones.
 *
 * Only objects of exactly the module's own types come from here, never those of subclasses. An object in the
 * pool has no references; its fields are as they were when it was kept, in fresh memory zero. On free-threaded builds nothing is kept.
 */
#ifndef WITHIN_EXT_POOL_H
#define WITHIN_EXT_POOL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define WITHIN_POOL_SIZE 16

typedef struct within_pool {
    PyObject *objects[WITHIN_POOL_SIZE];
    int count;
} within_pool;

/** Make an object that the collector does not track yet; its fields are zero. Without a pool: from the heap. */
PyObject *within_pool_fresh(PyTypeObject *type);

static inline PyObject *within_pool_new(within_pool *pool, PyTypeObject *type) {
    if (!pool || pool->count == 0) return within_pool_fresh(type);
    return PyObject_Init(pool->objects[--pool->count], type);
}

/** Keep the memory of an object, or free it; its type's reference is not touched. */
static inline void within_pool_keep(within_pool *pool, PyObject *object) {
#ifndef Py_GIL_DISABLED
    if (pool && pool->count < WITHIN_POOL_SIZE) {
        pool->objects[pool->count++] = object;
        return;
    }
#endif
    (void)pool;
    PyObject_GC_Del(object);
}

/** Free what is kept. */
void within_pool_clear(within_pool *pool);

#endif
