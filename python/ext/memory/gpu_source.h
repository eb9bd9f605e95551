/*
 * Sources of GPU memory's figures that are written in Python.
 */
#ifndef WITHIN_EXT_MEMORY_GPU_SOURCE_H
#define WITHIN_EXT_MEMORY_GPU_SOURCE_H

#include "module.h"

#include <within/gpu.h>

/** The core's face of a gpu_source, borrowed; NULL with a TypeError set if the object is none. */
const wi_gpu_source *within_gpu_source_of(PyObject *object);

#endif
