/*
 * Calls of the core that may raise, for the package's other extension modules: one place turns its errors into
 * Python's exceptions. What each does is in core_call.h.
 */
#ifndef WITHIN_EXT_CORE_CALLS_H
#define WITHIN_EXT_CORE_CALLS_H

#include <within/error.h>

typedef struct within_core_calls {
    int (*call)(void (*fn)(void *arg), void *arg);
    int (*call_with_gil)(void (*fn)(void *arg), void *arg);
    int (*raise_error)(wi_error *error);
} within_core_calls;

/* The capsule that has them. */
#define WITHIN_CORE_CALLS "within._within.core_calls"

#endif
