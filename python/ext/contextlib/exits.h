/*
 * What an exit stack will call: an array of exits, the first few inside the stack itself.
 *
 * Room is made before a manager is entered, so that an entered one can always be put down.
 */
#ifndef WITHIN_EXT_EXITS_H
#define WITHIN_EXT_EXITS_H

#include "contextlib/special_method.h"

typedef enum within_exit_kind {
    WITHIN_EXIT_METHOD,    /* function(object, type, value, traceback) */
    WITHIN_EXIT_FUNCTION,  /* function(type, value, traceback) */
    WITHIN_EXIT_CALLBACK,  /* function(), or function(object); what it returns does not count */
    WITHIN_EXIT_CALLBACKS, /* function(*object), the last ones by names */
} within_exit_kind;

typedef struct within_exit {
    PyObject *function;
    PyObject *object; /* or NULL */
    PyObject *names;  /* of keyword arguments; or NULL */
    within_exit_kind kind;
    bool async; /* what the call gives is to be awaited */
} within_exit;

#define WITHIN_INLINE_EXITS 4

typedef struct within_exits {
    within_exit *array; /* own or heap memory; NULL as own before the first */
    Py_ssize_t count, capacity;
    within_exit own[WITHIN_INLINE_EXITS];
} within_exits;

/** Make room for one more; 0, or -1 with MemoryError set. */
int within_exits_grow(within_exits *exits);
static inline int within_exits_reserve(within_exits *exits) {
    return exits->count < exits->capacity ? 0 : within_exits_grow(exits);
}

/** Put one down, into reserved room; takes its references. */
static inline void within_exits_push(within_exits *exits, within_exit exit) {
    exits->array[exits->count++] = exit;
}

/** Take the last one away, with its references. There must be one. */
static inline within_exit within_exits_pop(within_exits *exits) {
    return exits->array[--exits->count];
}

/** Move all to an empty `to`. */
void within_exits_move(within_exits *to, within_exits *from);

void within_exits_clear(within_exits *exits);
int within_exits_traverse(within_exits *exits, visitproc visit, void *arg);

/** The exit of a manager; takes the method's reference. */
static inline within_exit within_exit_of_method(within_special_method method, PyObject *manager,
                                                bool async) {
    if (method.bound)
        return (within_exit){
            .function = method.function, .kind = WITHIN_EXIT_FUNCTION, .async = async};
    return (within_exit){.function = method.function, .object = Py_NewRef(manager), .async = async};
}

/** A callback with its arguments, as a vectorcall passes them: args[0] is the function. 0, or -1 with an error. */
int within_exit_init_callback(within_exit *exit, PyObject *const *args, Py_ssize_t count,
                              PyObject *names);

/** Call it with type, value and traceback; a callback's result is replaced by None, unless async. */
PyObject *within_exit_call(const within_exit *exit, PyObject *const details[3]);

static inline void within_exit_release(within_exit *exit) {
    Py_DECREF(exit->function);
    Py_XDECREF(exit->object);
    Py_XDECREF(exit->names);
}

/** The callable that the standard library would have put into _exit_callbacks. */
PyObject *within_exit_as_callable(within_state *state, const within_exit *exit);

/** The reverse: takes the callable's reference. */
within_exit within_exit_of_callable(within_state *state, PyObject *callable, bool async);

#endif
