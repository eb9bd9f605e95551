/*
 * Calls of the core that may raise, for the package's other extension modules: one place turns its errors into
 * Python's exceptions. What each does is in core_call.h.
 */
#ifndef WITHIN_EXT_CORE_CALLS_H
#define WITHIN_EXT_CORE_CALLS_H

#include <within/error.h>

/* The exception's type for an error of a library of its own: a new reference; NULL, without an error, for others. */
typedef PyObject *(*within_type_of)(const wi_error *error);

typedef struct within_core_calls {
    int (*call)(void (*fn)(void *arg), void *arg);
    int (*call_with_gil)(void (*fn)(void *arg), void *arg);
    int (*raise_error)(wi_error *error);
    /* One may be told: the errors that the core itself does not know. */
    void (*tell_type_of)(within_type_of type_of);
} within_core_calls;

/* The capsule that has them. */
#define WITHIN_CORE_CALLS "within._within.core_calls"

#endif
