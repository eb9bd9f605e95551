/*
 * What this process's own record says, as Python objects.
 */
#ifndef WITHIN_EXT_PATHS_H
#define WITHIN_EXT_PATHS_H

#include "module.h"

/**
 * The figures of all paths of a tree apart.
 *
 * @param top  the name of its root in the record.
 * @return a new list of tuples (path, calls, total, self, mean, std, min, p50, p99, max, errors), times in
 *         seconds, NaN where there is nothing to tell yet; paths that were never entered are left out.
 *         NULL with an error set.
 */
PyObject *within_paths(const char *top);

#endif
