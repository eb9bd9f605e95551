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

#include "pool.h"

/* One line a file; the order is that of creation. */
#define WITHIN_PARTS(X)                                                                            \
    X(names)                                                                                       \
    X(with_method)                                                                                 \
    X(coroutine)                                                                                   \
    X(exit_callback)                                                                               \
    X(function_call)                                                                               \
    X(generator)                                                                                   \
    X(nullcontext)                                                                                 \
    X(closing)                                                                                     \
    X(aclosing)                                                                                    \
    X(suppress)                                                                                    \
    X(redirect)                                                                                    \
    X(chdir)                                                                                       \
    X(base_exit_stack)                                                                             \
    X(exit_stack)                                                                                  \
    X(async_exit_stack)                                                                            \
    X(context_decorator)                                                                           \
    X(generator_manager_base)                                                                      \
    X(generator_manager)                                                                           \
    X(async_step)                                                                                  \
    X(async_generator_manager)                                                                     \
    X(contextmanager)                                                                              \
    X(section_names)                                                                               \
    X(enclosing)                                                                                   \
    X(section)                                                                                     \
    X(timer)                                                                                       \
    X(tree)                                                                                        \
    X(iteration)                                                                                   \
    X(async_iteration)                                                                             \
    X(profiler)

/* What the module holds: X(type, name). */
#define WITHIN_HELD(X)                                                                             \
    X(PyTypeObject, with_method)                                                                   \
    X(PyTypeObject, coroutine)                                                                     \
    X(PyTypeObject, exit_callback)                                                                 \
    X(PyTypeObject, base_exit_stack)                                                               \
    X(PyTypeObject, exit_stack)                                                                    \
    X(PyTypeObject, tree)                                                                          \
    X(PyTypeObject, iteration)                                                                     \
    X(PyTypeObject, async_iteration)                                                               \
    X(PyTypeObject, iteration_step)                                                                \
    X(PyTypeObject, redirect_stdout)                                                               \
    X(PyTypeObject, generator_manager_base)                                                        \
    X(PyTypeObject, context_decorator)                                                             \
    X(PyObject, recreate_itself)                                                                   \
    X(PyTypeObject, generator_manager)                                                             \
    X(PyTypeObject, async_context_decorator)                                                       \
    X(PyTypeObject, async_generator_manager)                                                       \
    X(PyTypeObject, async_step)                                                                    \
    X(PyObject, wrapper_assignments) /* functools.WRAPPER_ASSIGNMENTS */                           \
    X(PyObject, stops)               /* StopIteration and StopAsyncIteration */                    \
    X(PyTypeObject, redirect_stderr)                                                               \
    X(PyObject, stop_iteration)                                                                    \
    X(PyObject, deque)                                                                             \
    X(PyObject, sys)                                                                               \
    X(PyObject, os)

/* Strings that are looked up. */
#define WITHIN_NAMES(X)                                                                            \
    X(__aenter__)                                                                                  \
    X(__aexit__)                                                                                   \
    X(__enter__)                                                                                   \
    X(__exit__)                                                                                    \
    X(__wrapped__)                                                                                 \
    X(_exit_callbacks)                                                                             \
    X(_recreate_cm)                                                                                \
    X(_stream)                                                                                     \
    X(aclose)                                                                                      \
    X(append)                                                                                      \
    X(athrow)                                                                                      \
    X(chdir)                                                                                       \
    X(close)                                                                                       \
    X(cr_await)                                                                                    \
    X(getcwd)                                                                                      \
    X(pop)                                                                                         \
    X(split)                                                                                       \
    X(stderr)                                                                                      \
    X(stdout)                                                                                      \
    X(throw)

typedef struct within_names {
#define WITHIN_DECLARE(name) PyObject *n##name;
    WITHIN_NAMES(WITHIN_DECLARE)
#undef WITHIN_DECLARE
} within_names;

typedef struct within_state {
#define WITHIN_DECLARE(type, name) type *name;
    WITHIN_HELD(WITHIN_DECLARE)
#undef WITHIN_DECLARE
    within_names names;
    within_pool small_managers, exit_stacks, coroutines, generator_managers, async_steps;
} within_state;

#define WITHIN_DECLARE(part) int within_add_##part(PyObject *module);
WITHIN_PARTS(WITHIN_DECLARE)
#undef WITHIN_DECLARE

extern PyModuleDef within_module;

static inline within_state *within_state_of(PyObject *module) {
    return (within_state *)PyModule_GetState(module);
}

/** The state, from a type of this module or one derived from it; NULL while the module is being torn down. */
static inline within_state *within_state_from(const PyTypeObject *type) {
    for (; type; type = type->tp_base) {
        if (!PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE)) continue;
        PyObject *module = ((const PyHeapTypeObject *)type)->ht_module;
        if (module && PyModule_GetDef(module) == &within_module) return within_state_of(module);
    }
    return NULL;
}

/** The state, from a type that this module made; NULL while the module is being torn down. */
static inline within_state *within_state_of_type(const PyTypeObject *type) {
    PyObject *module = ((const PyHeapTypeObject *)type)->ht_module;
    return module ? within_state_of(module) : NULL;
}

/**
 * Make a type and add it to the module under its name.
 *
 * @return the type, owned by the module; or NULL with an error set.
 */
PyTypeObject *within_add_type(PyObject *module, PyType_Spec *spec, PyObject *bases);

#endif
