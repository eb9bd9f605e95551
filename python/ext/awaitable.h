/* What `await` iterates over, which CPython has no public function for. */
#ifndef WITHIN_EXT_AWAITABLE_H
#define WITHIN_EXT_AWAITABLE_H

#include "module.h"

/** The iterator of `await awaitable`, for PyIter_Send. Steals the reference. NULL for NULL, or with an error set. */
PyObject *within_awaitable_iterator(PyObject *awaitable);

#endif
