/*
 * What the CUDA driver knows of a GPU's memory, as sources.
 */
#ifndef WITHIN_MANAGE_GPU_SOURCE_H
#define WITHIN_MANAGE_GPU_SOURCE_H

#include <within/gpu.h>

/**
 * The best source of a device: its memory pool if it was ever used, else the whole device's memory.
 *
 * @param process       tells this process from the parent whose child it is.
 * @param[out] why_not  of size `size`: why there is none; empty if there is one.
 * @return NULL if there is none, as before the program has a context on the device.
 *
 * Threads: any.
 */
const wi_gpu_source *wi__gpu_driver_source(int device, unsigned process, char *why_not,
                                           size_t size);

#endif
