/* What an await iterates over. */
#ifndef WITHIN_EXT_AWAITABLE_H
#define WITHIN_EXT_AWAITABLE_H

#include "module.h"

/** The iterator of `await object`, to be driven by PyIter_Send: a new reference, or NULL with an error set. */
PyObject *within_awaitable_iterator(within_state *state, PyObject *object);

#endif
