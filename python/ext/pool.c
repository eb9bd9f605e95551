/* Pools of freed objects: what is not on the fast path. */
#include "pool.h"

#include <string.h>

PyObject *within_pool_fresh(PyTypeObject *type) {
    PyObject *object =
        PyType_IS_GC(type) ? PyObject_GC_New(PyObject, type) : PyObject_New(PyObject, type);
    if (object)
        memset((char *)object + sizeof *object, 0, (size_t)type->tp_basicsize - sizeof *object);
    return object;
}

/* Their own types may be gone by now; what precedes an object is the same for any plain type with a collector. */
void within_pool_clear(within_pool *pool) {
    while (pool->count > 0) {
        PyObject *object = pool->objects[--pool->count];
        Py_SET_TYPE(object, &PyTuple_Type);
        pool->free(object);
    }
}
