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
    X(names)                                                                                       \
    X(with_method)                                                                                 \
    X(nullcontext)                                                                                 \
    X(function_call)                                                                               \
    X(generator)                                                                                   \
    X(context_decorator)                                                                           \
    X(generator_manager_base)                                                                      \
    X(generator_manager)                                                                           \
    X(async_step)                                                                                  \
    X(async_generator_manager)                                                                     \
    X(contextmanager)

/* Names that are looked up often: the field, the text. */
#define WITHIN_NAMES(X)                                                                            \
    X(enter, "__enter__")                                                                          \
    X(exit, "__exit__")                                                                            \
    X(recreate, "_recreate_cm")                                                                    \
    X(wrapped, "__wrapped__")                                                                      \
    X(throw_, "throw")                                                                             \
    X(athrow, "athrow")

typedef struct within_state {
    PyTypeObject *with_method;
    PyTypeObject *generator_manager_base;
    PyTypeObject *context_decorator;
    PyObject *recreate_itself; /* ContextDecorator._recreate_cm */
    PyTypeObject *generator_manager;
    PyTypeObject *async_context_decorator;
    PyTypeObject *async_generator_manager;
    PyTypeObject *async_step;
    PyObject *wrapper_assignments; /* functools.WRAPPER_ASSIGNMENTS */
    PyObject *stops;               /* StopIteration and StopAsyncIteration */
    struct within_names {
#define WITHIN_NAME(field, text) PyObject *field;
        WITHIN_NAMES(WITHIN_NAME)
#undef WITHIN_NAME
    } names;
} within_state;

#define WITHIN_DECLARE(part) int within_add_##part(PyObject *module);
WITHIN_PARTS(WITHIN_DECLARE)
#undef WITHIN_DECLARE

extern PyModuleDef within_module;

static inline within_state *within_state_of(PyObject *module) {
    return (within_state *)PyModule_GetState(module);
}

/* What the free lists hold goes with the module. */
void within_free_generator_managers(void);
void within_free_async_steps(void);

/** The state of the module that made a type, or one of its bases. @return NULL if none was. */
within_state *within_state_of_type(PyTypeObject *type);

/**
 * Make a type and add it to the module under its name.
 *
 * @return the type, owned by the module; or NULL with an error set.
 */
PyTypeObject *within_add_type(PyObject *module, PyType_Spec *spec, PyObject *bases);

#endif
