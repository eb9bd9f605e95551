/*
 * The extension module: the state that its types share.
 *
 * Each file has one type, or a few that are one idea, and one function that adds them to the module, which
 * WITHIN_PARTS lists. Non-static names begin with within_.
 */
#ifndef WITHIN_EXT_MODULE_H
#define WITHIN_EXT_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* One line a file; the order is that of creation. */
#define WITHIN_PARTS(X)                                                                            \
    X(with_method)                                                                                 \
    X(nullcontext)                                                                                 \
    X(names)                                                                                       \
    X(enclosing)                                                                                   \
    X(section)                                                                                     \
    X(timer)                                                                                       \
    X(tree)                                                                                        \
    X(iteration)                                                                                   \
    X(async_iteration)                                                                             \
    X(profiler)

typedef struct within_state {
    PyTypeObject *with_method;
    PyTypeObject *tree, *iteration, *async_iteration, *iteration_step;
} within_state;

#define WITHIN_DECLARE(part) int within_add_##part(PyObject *module);
WITHIN_PARTS(WITHIN_DECLARE)
#undef WITHIN_DECLARE

extern PyModuleDef within_module;

static inline within_state *within_state_of(PyObject *module) {
    return (within_state *)PyModule_GetState(module);
}

/**
 * Make a type and add it to the module under its name.
 *
 * @return the type, owned by the module; or NULL with an error set.
 */
PyTypeObject *within_add_type(PyObject *module, PyType_Spec *spec, PyObject *bases);

#endif
