/*
 * The extension module: its parts, and the state that they share.
 *
 * A part is a file with one type, or a few that are one idea, and a function that adds them to the module.
 * This folder has what the parts are made with; contextlib/ has the parts of within.contextlib, sections/ those
 * that measure, files/ those that write, memory/ those that tell what was taken, state/ those that put back.
 * Non-static names begin with within_.
 */
#ifndef WITHIN_EXT_MODULE_H
#define WITHIN_EXT_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

/* What `import within` makes: X(part); within_add_part is in the file of that name. */
#define WITHIN_PARTS(X)                                                                            \
    X(with_methods)                                                                                \
    X(core_call)                                                                                   \
    X(atomic_file)                                                                                 \
    X(host_memory)                                                                                 \
    X(hold)                                                                                        \
    X(section_names)                                                                               \
    X(enclosing)                                                                                   \
    X(section)                                                                                     \
    X(timer)                                                                                       \
    X(tree)                                                                                        \
    X(iteration)                                                                                   \
    X(async_iteration)                                                                             \
    X(profiler)                                                                                    \
    X(checkpoints)                                                                                 \
    X(checkpoint_save)                                                                             \
    X(core_block)                                                                                  \
    X(csv_log)                                                                                     \
    X(tempdir)                                                                                     \
    X(fp_guard)                                                                                    \
    X(fp_modes)                                                                                    \
    X(deliver)                                                                                     \
    X(interrupts)                                                                                  \
    X(redirection)                                                                                 \
    X(seed)                                                                                        \
    X(gpu_source)                                                                                  \
    X(gpu_memory)                                                                                  \
    X(gpu_timing)                                                                                  \
    X(gpu_bytes)                                                                                   \
    X(python_blocks)                                                                               \
    X(python_types)                                                                                \
    X(watch)

/* What `import within.contextlib` adds: it imports the standard library's, and what that needs. */
#define WITHIN_CONTEXTLIB_PARTS(X)                                                                 \
    X(coroutine)                                                                                   \
    X(function_call)                                                                               \
    X(context_decorator)                                                                           \
    X(generator)                                                                                   \
    X(generator_manager_base)                                                                      \
    X(generator_manager)                                                                           \
    X(async_generator_manager)                                                                     \
    X(contextmanager)                                                                              \
    X(exit_callback)                                                                               \
    X(base_exit_stack)                                                                             \
    X(exit_stack)                                                                                  \
    X(async_exit_stack)                                                                            \
    X(nullcontext)                                                                                 \
    X(closing)                                                                                     \
    X(aclosing)                                                                                    \
    X(suppress)                                                                                    \
    X(redirect)                                                                                    \
    X(chdir)

/* What the state holds references to: X(type, name). NULL for parts that were not added. */
#define WITHIN_HELD(X)                                                                             \
    X(PyTypeObject, with_method)                                                                   \
    X(PyObject, data_error)                                                                        \
    X(PyTypeObject, checkpoint_series)                                                             \
    X(PyObject, interrupted)             /* within.Interrupted */                                  \
    X(PyObject, raised_interrupt)        /* a weak reference to the last one */                    \
    X(PyObject, interrupt_is_worked_off) /* what that calls */                                     \
    X(PyObject, deliver)                 /* what Python calls for a signal */                      \
    X(PyObject, set_signal_handler)      /* _signal.signal */                                      \
    X(PyObject, default_handler)         /* SIG_DFL, as Python has it */                           \
    X(PyObject, default_int_handler)                                                               \
    X(PyObject, handlers_before) /* of signals that are taken: what Python had for them */         \
    X(PyObject, excepthook)                                                                        \
    X(PyObject, unraisablehook)                                                                    \
    X(PyTypeObject, section)                                                                       \
    X(PyTypeObject, tree)                                                                          \
    X(PyTypeObject, iteration)                                                                     \
    X(PyTypeObject, async_iteration)                                                               \
    X(PyTypeObject, iteration_step)                                                                \
    X(PyTypeObject, coroutine)                                                                     \
    X(PyObject, stop_iteration)      /* that coroutines return values in */                        \
    X(PyObject, wrapper_assignments) /* functools.WRAPPER_ASSIGNMENTS */                           \
    X(PyTypeObject, context_decorator)                                                             \
    X(PyObject, recreate_itself) /* ContextDecorator._recreate_cm */                               \
    X(PyTypeObject, generator_manager_base)                                                        \
    X(PyTypeObject, generator_manager)                                                             \
    X(PyObject, stops) /* StopIteration and StopAsyncIteration */                                  \
    X(PyTypeObject, async_generator_manager)                                                       \
    X(PyObject, async_context_decorator) /* contextlib.AsyncContextDecorator */                    \
    X(PyTypeObject, exit_callback)                                                                 \
    X(PyObject, deque) /* collections.deque */                                                     \
    X(PyTypeObject, base_exit_stack)                                                               \
    X(PyTypeObject, exit_stack)                                                                    \
    X(PyTypeObject, redirect_stdout)                                                               \
    X(PyTypeObject, redirect_stderr)                                                               \
    X(PyObject, sys)                                                                               \
    X(PyObject, os)

/* Memory of freed objects: X(pool). */
#define WITHIN_POOLS(X)                                                                            \
    X(sections)                                                                                    \
    X(coroutines)                                                                                  \
    X(generator_managers)                                                                          \
    X(exit_stacks)                                                                                 \
    X(small_managers)

/* Strings that attributes are looked up by: X(name). */
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
#define WITHIN_DECLARE(pool) within_pool pool;
    WITHIN_POOLS(WITHIN_DECLARE)
#undef WITHIN_DECLARE
    within_names names;
    bool has_contextlib;
} within_state;

#define WITHIN_DECLARE(part) int within_add_##part(PyObject *module);
WITHIN_PARTS(WITHIN_DECLARE)
WITHIN_CONTEXTLIB_PARTS(WITHIN_DECLARE)
#undef WITHIN_DECLARE

extern PyModuleDef within_module;

/* The module made last, borrowed: its state is found without a call. */
typedef struct within_last_module {
    PyObject *module;
    within_state *state;
} within_last_module;

extern within_last_module within_last;

static inline within_state *within_state_of(PyObject *module) {
    return module == within_last.module ? within_last.state
                                        : (within_state *)PyModule_GetState(module);
}

/** The state, from a type that this module made; NULL while the module is being torn down. */
static inline within_state *within_state_of_type(const PyTypeObject *type) {
    PyObject *module = ((const PyHeapTypeObject *)type)->ht_module;
    return module ? within_state_of(module) : NULL;
}

/** The state, from such a type or one derived from it; NULL while the module is being torn down. */
static inline within_state *within_state_of_subtype(const PyTypeObject *type) {
    for (; type; type = type->tp_base) {
        if (!PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE)) continue;
        PyObject *module = ((const PyHeapTypeObject *)type)->ht_module;
        if (module && module == within_last.module) return within_last.state;
        if (module && PyModule_GetDef(module) == &within_module) return within_state_of(module);
    }
    return NULL;
}

/** A pool of a type that this module made; NULL while the module is being torn down. */
#define WITHIN_POOL(type, pool) within_pool_at(type, offsetof(within_state, pool))
static inline within_pool *within_pool_at(const PyTypeObject *type, size_t offset) {
    within_state *state = within_state_of_type(type);
    return state ? (within_pool *)((char *)state + offset) : NULL;
}

/** Let the state hold an object, instead of what it held there. Steals the reference. @return 0, or -1 for NULL. */
static inline int within_hold(PyObject **held, PyObject *object) {
    Py_XSETREF(*held, object);
    return object ? 0 : -1;
}

/** Let the state hold a type, borrowed from within_add_type or its like. @return 0, or -1 for NULL. */
static inline int within_hold_type(PyTypeObject **held, PyTypeObject *type) {
    return within_hold((PyObject **)held, Py_XNewRef(type));
}

/** What a module in Python has under a name: a new reference, or NULL with an error set. */
PyObject *within_import(const char *module, const char *name);

/**
 * Make a type and add it to the module under its name.
 *
 * @return the type, owned by the module; or NULL with an error set.
 */
PyTypeObject *within_add_type(PyObject *module, PyType_Spec *spec, PyObject *bases);

#endif
