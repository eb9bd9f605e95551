/*
 * An asynchronous generator as a manager: the coroutines of __aenter__ and __aexit__.
 *
 * The rules are those of the running version's contextlib. Their owner is a generator_manager.
 */
#ifndef WITHIN_EXT_ASYNC_GENERATOR_H
#define WITHIN_EXT_ASYNC_GENERATOR_H

#include "contextlib/coroutine.h"

/** The body of __aenter__. */
PySendResult within_async_generator_enter(within_coroutine *coroutine, PyObject *value,
                                          PyObject **result);

/** The body of __aexit__, whose arguments are in `unwinding`. */
PySendResult within_async_generator_exit(within_coroutine *coroutine, PyObject *value,
                                         PyObject **result);

#endif
