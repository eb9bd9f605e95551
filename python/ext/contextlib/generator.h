/*
 * A generator as a manager: up to its yield is enter, the rest is exit.
 *
 * The rules are those of the running version's contextlib; each function works on the generator alone.
 */
#ifndef WITHIN_EXT_GENERATOR_H
#define WITHIN_EXT_GENERATOR_H

#include "module.h"

/** Run up to the yield. @return what it yields; or NULL with an error set. */
PyObject *within_generator_enter(PyObject *generator);

/** Run to the end, which the generator must reach without another yield. @return 0, or -1. */
int within_generator_finish(PyObject *generator);

/**
 * Raise the body's error at the yield.
 *
 * @param raised  type, value and traceback as __exit__ gets them; a value None is made from the type.
 * @return 1 if the generator swallowed it; 0 if it goes on; -1 if another error is raised.
 */
int within_generator_throw(const within_state *state, PyObject *generator, PyObject *const *raised);

/** Whether contextlib of the running version closes a generator that does not stop. */
bool within_generator_closes(void);

/** Raise RuntimeError: the generator yielded once more. Closes it, if contextlib does. */
void within_generator_did_not_stop(PyObject *generator, const char *message);

/** Raise RuntimeError: the generator returned before its yield. `stop` is what it ended with. */
void within_generator_did_not_yield(PyObject *stop);

/**
 * What __exit__ does with the error that throw() raised, which is taken away.
 *
 * @param stop     the error by which this kind of generator says that it returned.
 * @param wrapped  a type or a tuple: errors that a generator may not raise and wraps in RuntimeError.
 * @return as within_generator_throw.
 */
int within_generator_thrown(PyObject *value, PyObject *traceback, PyObject *stop,
                            PyObject *wrapped);

#endif
