/*
 * __enter__ and __exit__ of manager types, the fastest way that each Python has.
 *
 * Up to 3.13 a with statement looks both up on the type and binds them, which allocates two objects a
 * block. Here the look-up gives the manager itself, and calling a manager with no argument enters it, with
 * three exits it. From 3.14 on the interpreter calls plain methods without binding them.
 */
#ifndef WITHIN_EXT_WITH_METHODS_H
#define WITHIN_EXT_WITH_METHODS_H

#include "arguments.h"

/** A manager object begins so. */
typedef struct within_manager {
    PyObject_HEAD vectorcallfunc call;
} within_manager;

/** A function of kind METH_FASTCALL. */
typedef PyObject *(*within_fastcall)(PyObject *self, PyObject *const *args, Py_ssize_t count);

/** What a type does. All static. An asynchronous manager has "__aenter__" and "__aexit__" here. */
typedef struct within_with_methods {
    PyMethodDef enter;   /* "__enter__", METH_NOARGS, doc */
    PyMethodDef exit;    /* "__exit__", METH_FASTCALL, doc; with statements give 3 arguments */
    vectorcallfunc call; /* any other call, a decorator's for example; or NULL: not callable */
} within_with_methods;

/**
 * Add a type of managers to the module, with __enter__ and __exit__. Subclasses get ordinary bound methods, and
 * a type without a `call` loses its attribute __call__.
 *
 * @param spec       with Py_TPFLAGS_HAVE_VECTORCALL, {Py_tp_call, PyVectorcall_Call} and
 *                   WITHIN_VECTORCALL_MEMBER, so that 3.10 to 3.13 can call its objects.
 * @param construct  the type's tp_vectorcall, which subclasses do not inherit; or NULL.
 * @return the type, owned by the module; or NULL with an error set.
 */
PyTypeObject *within_add_manager(PyObject *module, PyType_Spec *spec, PyObject *bases,
                                 const within_with_methods *methods, vectorcallfunc construct);

#define WITHIN_VECTORCALL_MEMBER                                                                   \
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(within_manager, call), READONLY, NULL}

/**
 * What the tp_new of a type without a `call` sets it to. Objects of a subclass are not called so, but through its
 * own __call__; 3.12 and 3.13 let it inherit the flag without the slot. (A type with a `call` gives the objects
 * of its subclasses that one: they are not entered by being called.)
 */
static inline vectorcallfunc within_call_for(PyTypeObject *type, vectorcallfunc call) {
    if (type->tp_call) return call;
    type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
    return NULL;
}

/** A vectorcall function's body: enter, exit, or what else the type does when it is called. */
static inline PyObject *within_with_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                         PyObject *names, const within_with_methods *methods) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count == 0 && !names) return methods->enter.ml_meth(self, NULL);
    if (count == 3 && !names)
        return ((within_fastcall)(void (*)(void))methods->exit.ml_meth)(self, args, count);
    if (methods->call) return methods->call(self, args, nargsf, names);
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable", Py_TYPE(self)->tp_name);
    return NULL;
}

#endif
