/*
 * What __aenter__ and __aexit__ of an asynchronous generator's manager return: something to be awaited.
 *
 * A step is what a coroutine would be: it starts when it is first resumed, passes on what the generator
 * awaits, takes errors by throw() and close(), and warns if nobody ever awaited it.
 */
#ifndef WITHIN_EXT_ASYNC_STEP_H
#define WITHIN_EXT_ASYNC_STEP_H

#include "generator_manager.h"

/** A step that enters a manager. @return NULL with an error set. */
PyObject *within_async_step_enter(within_state *state, generator_manager *manager);

/** A step that leaves it; `raised` is type, value, traceback, as __aexit__ gets them. */
PyObject *within_async_step_exit(within_state *state, generator_manager *manager,
                                 PyObject *const *raised);

/* async_await.c: the parts of `await` */

/** The iterator of a thing that is awaited. Steals the reference, which may be NULL: then NULL. */
PyObject *within_async_iterator(PyObject *awaitable);

/** iterator.throw(...). @param args  one to three: what throw() got, kept behind a free place. */
PySendResult within_async_throw(PyObject *iterator, PyObject **args, Py_ssize_t count,
                                PyObject **result);

/** iterator.close(), if it has that. @return -1 with an error set. */
int within_async_close(PyObject *iterator);

/** Raise what throw() got. */
void within_async_raise(PyObject *const *args, Py_ssize_t count);

/** What send() and __next__() return: a result that ends them goes into a StopIteration. */
PyObject *within_async_result(PySendResult sent, PyObject *result);

#endif
