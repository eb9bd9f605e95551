/* The exception that is raised, as one object with its traceback, the same way in all versions. */
#ifndef WITHIN_EXT_RAISED_H
#define WITHIN_EXT_RAISED_H

#include "module.h"

/** Take the raised exception away: a new reference, with its traceback attached. One must be raised. */
PyObject *within_take_raised(void);

/** Raise an exception as it is, its traceback and its context untouched; takes the reference. */
void within_raise(PyObject *exception);

/** What sys.exception() gives: a new reference, or NULL. */
PyObject *within_handled(void);

/**
 * Make new_exception look raised while old_exception was being handled, as nested with statements would.
 *
 * Its chain of contexts ends with what was being handled outside, `frame_exception`, since nobody knew of the
 * old one: there the old one is put in. A chain that ends otherwise was made on purpose and stays.
 *
 * @param old_exception, frame_exception  borrowed; NULL for none.
 */
void within_fix_context(PyObject *new_exception, PyObject *old_exception,
                        PyObject *frame_exception);

#endif
