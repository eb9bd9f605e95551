/*
 * The object that ExitStack and AsyncExitStack share.
 *
 * Its exits are in an array. Once a program has asked for _exit_callbacks, they are in that deque instead, so
 * that what the program does to the deque counts.
 */
#ifndef WITHIN_EXT_EXIT_STACK_H
#define WITHIN_EXT_EXIT_STACK_H

#include "contextlib/exits.h"
#include "contextlib/instance.h"

typedef struct within_exit_stack {
    within_instance instance;
    within_exits exits;
    PyObject *deque; /* or NULL */
} within_exit_stack;

/** The tp_vectorcall's body: an object of exactly this type. */
PyObject *within_exit_stack_make(PyTypeObject *type, vectorcallfunc call);

/** Make room for one more exit; 0, or -1 with an error set. */
int within_exit_stack_reserve(within_exit_stack *self);

/** Put an exit down; takes its references, also when it fails with -1. */
int within_exit_stack_push(within_exit_stack *self, within_exit exit);

/** Take the last exit away; 1, or 0 if there is none, or -1 with an error set. */
int within_exit_stack_pop_deque(within_exit_stack *self, within_exit *exit);
static inline int within_exit_stack_pop(within_exit_stack *self, within_exit *exit) {
    if (self->deque) return within_exit_stack_pop_deque(self, exit);
    if (self->exits.count == 0) return 0;
    *exit = within_exits_pop(&self->exits);
    return 1;
}

/** push(): a manager's exit, or what has none as a function itself. Returns exit_object, a new reference. */
PyObject *within_exit_stack_push_object(within_exit_stack *self, PyObject *exit_object,
                                        PyObject *method_name, bool async);

/** callback(): args[0] is the function. Returns it, a new reference. */
PyObject *within_exit_stack_push_callback(within_exit_stack *self, PyObject *const *args,
                                          Py_ssize_t count, PyObject *names, bool async);

/** Add a derived type to the module: within_add_manager, with the base's methods. */
PyTypeObject *within_exit_stack_add(PyObject *module, PyType_Spec *spec,
                                    const within_with_methods *with_methods,
                                    vectorcallfunc construct);

/** Slots of the derived types: their objects are collected and freed alike. */
#define WITHIN_EXIT_STACK_SLOTS                                                                    \
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_traverse, within_exit_stack_traverse},                 \
        {Py_tp_clear, within_exit_stack_clear}, {                                                  \
        Py_tp_dealloc, within_exit_stack_dealloc                                                   \
    }

/** Behind a type's with_methods: NAME_call, NAME_new and NAME_vectorcall. */
#define WITHIN_EXIT_STACK(name)                                                                    \
    static PyObject *name##_call(PyObject *self, PyObject *const *args, size_t nargsf,             \
                                 PyObject *names) {                                                \
        return within_with_call(self, args, nargsf, names, &with_methods);                         \
    }                                                                                              \
    static PyObject *name##_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {          \
        (void)args, (void)keywords;                                                                \
        return within_exit_stack_new(type, name##_call);                                           \
    }                                                                                              \
    static PyObject *name##_vectorcall(PyObject * type, PyObject *const *args, size_t nargsf,      \
                                       PyObject *names) {                                          \
        if (names || PyVectorcall_NARGS(nargsf))                                                   \
            return within_call_type(type, args, nargsf, names);                                    \
        return within_exit_stack_make((PyTypeObject *)type, name##_call);                          \
    }

#define WITHIN_EXIT_STACK_SPEC(type_name, its_slots)                                               \
    {                                                                                              \
        .name = "within.contextlib." type_name,                                                    \
        .basicsize = sizeof(within_exit_stack),                                                    \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |                   \
                 Py_TPFLAGS_HAVE_VECTORCALL,                                                       \
        .slots = its_slots,                                                                        \
    }

int within_exit_stack_traverse(PyObject *self, visitproc visit, void *arg);
int within_exit_stack_clear(PyObject *self);
void within_exit_stack_dealloc(PyObject *self);

/** The body of their tp_new. */
PyObject *within_exit_stack_new(PyTypeObject *type, vectorcallfunc call);

#endif
