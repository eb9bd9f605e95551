/*
 * Managers that are made of one argument and remember at most one thing more: what their types share.
 *
 * A type in one file has `with_methods`, WITHIN_SMALL_MANAGER, its members and doc, and the macros for the rest.
 */
#ifndef WITHIN_EXT_SMALL_MANAGER_H
#define WITHIN_EXT_SMALL_MANAGER_H

#include "contextlib/instance.h"

typedef struct within_small_manager {
    within_instance instance;
    PyObject *argument; /* what it was made of */
    PyObject *memory;   /* what is to be restored; or NULL */
} within_small_manager;

/** Fill in what depends on the argument; 0, or -1 with an error set. NULL: nothing does. */
typedef int (*within_remember)(within_small_manager *self);

/** One of these: remember what is replaced in a list, since a block can be in another one of the same object. */
int within_remember_list(within_small_manager *self);
/** Make an object of exactly this type; takes no reference to argument but its own. */
PyObject *within_small_manager_make(PyTypeObject *type, vectorcallfunc call, PyObject *argument,
                                    within_remember remember);

/** A tp_new's body: the object before its tp_init; also for subclasses. */
PyObject *within_small_manager_new(PyTypeObject *type, vectorcallfunc call);

/** Set the argument, as __init__ does. */
int within_small_manager_set(PyObject *self, PyObject *argument, within_remember remember);

int within_small_manager_traverse(PyObject *self, visitproc visit, void *arg);
int within_small_manager_clear(PyObject *self);
void within_small_manager_dealloc(PyObject *self);

/** Copying, pickling and T[x]: for types without other methods. */
extern PyMethodDef within_small_manager_methods[];

/** Of any type NAME: NAME_call and NAME_new. */
#define WITHIN_SMALL_MANAGER(name)                                                                 \
    static PyObject *name##_call(PyObject *self, PyObject *const *args, size_t nargsf,             \
                                 PyObject *names) {                                                \
        return within_with_call(self, args, nargsf, names, &with_methods);                         \
    }                                                                                              \
    static PyObject *name##_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {          \
        (void)args, (void)keywords;                                                                \
        return within_small_manager_new(type, name##_call);                                        \
    }

/** And of one whose argument is needed: NAME_vectorcall and NAME_init. */
#define WITHIN_SMALL_MANAGER_OF(name, parameter, remember)                                         \
    WITHIN_SMALL_MANAGER(name)                                                                     \
    static PyObject *name##_vectorcall(PyObject * type, PyObject *const *args, size_t nargsf,      \
                                       PyObject *names) {                                          \
        if (names || PyVectorcall_NARGS(nargsf) != 1)                                              \
            return within_call_type(type, args, nargsf, names);                                    \
        return within_small_manager_make((PyTypeObject *)type, name##_call, args[0], remember);    \
    }                                                                                              \
    static int name##_init(PyObject *self, PyObject *args, PyObject *keywords) {                   \
        static char *names[] = {parameter, NULL};                                                  \
        PyObject *argument;                                                                        \
        if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:" #name, names, &argument)) return -1; \
        return within_small_manager_set(self, argument, remember);                                 \
    }

/** Slots that also types derived in C need. */
#define WITHIN_SMALL_MANAGER_SLOTS                                                                 \
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_traverse, within_small_manager_traverse},              \
        {Py_tp_clear, within_small_manager_clear}, {                                               \
        Py_tp_dealloc, within_small_manager_dealloc                                                \
    }

#define WITHIN_SMALL_MANAGER_SPEC(type_name, its_slots)                                            \
    {                                                                                              \
        .name = "within.contextlib." type_name,                                                    \
        .basicsize = sizeof(within_small_manager),                                                 \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |                   \
                 Py_TPFLAGS_HAVE_VECTORCALL,                                                       \
        .slots = its_slots,                                                                        \
    }

static inline within_small_manager *within_small_manager_of(PyObject *self) {
    return (within_small_manager *)self;
}

/** A member, borrowed; or NULL with an AttributeError: a subclass did not call __init__. */
static inline PyObject *within_small_manager_need(PyObject *self, PyObject *member,
                                                  const char *name) {
    if (!member)
        PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute '%s'",
                     Py_TYPE(self)->tp_name, name);
    return member;
}

/*
 * The list that within_remember_list made is used by its methods: a program can have put something else in its
 * place.
 */

/** Append to the list, the member `name`. Steals `old`, which may be NULL. @return 0, or -1 with an error set. */
static inline int within_small_manager_push(PyObject *self, const within_state *state,
                                            const char *name, PyObject *old) {
    PyObject *list = within_small_manager_need(self, within_small_manager_of(self)->memory, name);
    PyObject *appended = NULL;
    if (old && list) appended = PyObject_CallMethodOneArg(list, state->names.nappend, old);
    Py_XDECREF(old);
    Py_XDECREF(appended);
    return appended ? 0 : -1;
}

/** Take the last one off the list. @return a new reference, or NULL with an error set. */
static inline PyObject *within_small_manager_pop(PyObject *self, const within_state *state,
                                                 const char *name) {
    PyObject *list = within_small_manager_need(self, within_small_manager_of(self)->memory, name);
    return list ? PyObject_CallMethodNoArgs(list, state->names.npop) : NULL;
}

#endif
