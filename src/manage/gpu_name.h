/* What the GPUs of a process are, in words. */
#ifndef WITHIN_MANAGE_GPU_NAME_H
#define WITHIN_MANAGE_GPU_NAME_H

#include <stddef.h>

#include <within/block.h>

/**
 * A GPU's name and memory: "NVIDIA H100 80GB HBM3, 79.1 GiB".
 *
 * @param device  from 0 on, in CUDA's order.
 * @return 0 if there is no such GPU, or the program has not initialised CUDA yet: this never does.
 */
WI_API int wi__gpu_name(int device, char *text, size_t size);

#endif
