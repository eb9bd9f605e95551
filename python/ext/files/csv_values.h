/* Python objects as values of CSV cells. */
#ifndef WITHIN_EXT_FILES_CSV_VALUES_H
#define WITHIN_EXT_FILES_CSV_VALUES_H

#include "module.h"

#include <within/csv.h>

/** What can be a cell, for messages. */
#define WITHIN_CSV_TAKES "int, float, bool, str, Path or None"

/**
 * The value of an int, float, bool, str, path-like object or None, or of what is one by its __index__ or __float__:
 * NumPy's scalars, tensors with one element. NumPy is not imported.
 *
 * @param[out] value  its text is borrowed from the object, or from `kept`.
 * @param[in,out] kept  a list of what must live as long as the value, made when it is needed; NULL at first.
 * @return 1; 0 if the object cannot be a cell; -1 with an error set.
 */
int within_csv_value(PyObject *object, wi_csv_value *value, PyObject **kept);

/**
 * Columns as the C library reads them, "step:int,loss", from such a str or from names and (name, type) pairs.
 *
 * @return a new reference to bytes, or NULL with a TypeError or ValueError set.
 */
PyObject *within_csv_columns(PyObject *columns);

#endif
