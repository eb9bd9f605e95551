/*
 * The managers that contextmanager and asynccontextmanager give: a generator, and the call that made it.
 *
 * The call is kept until enter, for a decorator that makes a fresh manager a call. A manager that a
 * decorated function made keeps its arguments as they came; `args` and `kwds` are made when asked for.
 */
#ifndef WITHIN_EXT_GENERATOR_MANAGER_H
#define WITHIN_EXT_GENERATOR_MANAGER_H

#include "with_methods.h"

#include <structmember.h>

typedef struct generator_manager {
    within_manager manager;
    PyObject *gen;
    PyObject *func;
    PyObject *args; /* while packed: all values in one tuple, or NULL for none */
    PyObject *kwds; /* while packed: the names of the last values in a tuple, or NULL */
    PyObject *doc;  /* NULL or None: the type's is shown */
    PyObject *attributes;
    PyObject *weak_references;
    bool packed;
} generator_manager;

/* generator_manager_base.c: the objects */

/** An untracked manager with every field NULL. @return NULL with an error set. */
generator_manager *within_generator_manager_allocate(PyTypeObject *type, vectorcallfunc call);

/** tp_new and tp_vectorcall of a type; `call` is what its objects do when they are called. */
PyObject *within_generator_manager_new(PyTypeObject *type, vectorcallfunc call);
PyObject *within_generator_manager_construct(PyTypeObject *type, vectorcallfunc call,
                                             PyObject *const *args, size_t nargsf, PyObject *names);

int within_generator_manager_traverse(PyObject *self, visitproc visit, void *arg);
int within_generator_manager_clear(PyObject *self);
void within_generator_manager_dealloc(PyObject *self);

/** Slots of the types that derive from the base. */
#define WITHIN_GENERATOR_MANAGER_SLOTS                                                             \
    {Py_tp_traverse, within_generator_manager_traverse},                                           \
        {Py_tp_clear, within_generator_manager_clear},                                             \
        {Py_tp_dealloc, within_generator_manager_dealloc}, {                                       \
        Py_tp_call, PyVectorcall_Call                                                              \
    }

/** The generator. @return a new reference; or NULL with AttributeError if it was deleted. */
PyObject *within_generator_manager_generator(generator_manager *self);

/* generator_manager_call.c: the call */

/** The manager of the generator func(...). @return NULL with an error set. */
PyObject *within_generator_manager_of_call(PyTypeObject *type, vectorcallfunc call, PyObject *func,
                                           PyObject *const *args, size_t nargsf, PyObject *names);

/** The manager of a generator that func(...) returned. @return NULL with an error set. */
PyObject *within_generator_manager_of_generator(PyTypeObject *type, vectorcallfunc call,
                                                PyObject *gen, PyObject *func,
                                                PyObject *const *args, size_t nargsf,
                                                PyObject *names);

/** Call func(*args, **kwds) and keep generator and call. @return -1 with an error set. */
int within_generator_manager_set_call(generator_manager *self, PyObject *func, PyObject *args,
                                      PyObject *kwds);

/** Make args and kwds what users see. @return -1 with an error set. */
int within_generator_manager_unpack(generator_manager *self);

/** Call func once more. @return a fresh generator; or NULL with an error set. */
PyObject *within_generator_manager_call_again(generator_manager *self);

/** Enter has come: forget func and its arguments. @return -1 with AttributeError if they are gone. */
int within_generator_manager_forget_call(generator_manager *self);

/** Raise AttributeError. @return NULL. */
PyObject *within_generator_manager_missing(generator_manager *self, const char *name);

/* generator_manager.c and async_generator_manager.c: tp_vectorcall of the types, and the call of objects */

PyObject *within_generator_manager_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                              PyObject *names);
PyObject *within_generator_manager_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                        PyObject *names);
PyObject *within_async_generator_manager_vectorcall(PyObject *type, PyObject *const *args,
                                                    size_t nargsf, PyObject *names);
PyObject *within_async_generator_manager_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                              PyObject *names);

#endif
