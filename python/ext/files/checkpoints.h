/*
 * Series of checkpoints, which saves belong to. The types are private: within/_checkpoints.py is their face.
 */
#ifndef WITHIN_EXT_CHECKPOINTS_H
#define WITHIN_EXT_CHECKPOINTS_H

#include "module.h"

#include <within/checkpoints.h>

typedef struct within_series {
    PyObject_HEAD PyObject *folder, *suffix; /* bytes: the core borrows the texts */
    PyObject *best;                          /* bytes, or NULL */
    wi_checkpoints core;
} within_series;

#endif
