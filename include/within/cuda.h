/*
 * Contexts and device memory of CUDA, acquired and released as blocks.
 *
 *     within (wi_cuda_context(0)) {
 *         within (buffer, wi_cuda_buffer(n * sizeof(float))) {
 *             cuMemcpyHtoD(buffer->address, x, buffer->bytes);
 *         }
 *     }
 *
 * The CUDA driver is the one that the program has loaded, by being linked to it or to CUDA's runtime, and initialised
 * (cuInit, or the runtime's first call): neither is done here.
 */
#ifndef WITHIN_CUDA_H
#define WITHIN_CUDA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/** What the CUDA driver answered other than CUDA_SUCCESS; messages have the driver's name for it. */
extern WI_API const wi_error_type WI_CUDA_ERROR[1];

typedef struct wi_cuda_context {
    const wi_protocol *protocol;
    int device;
    void *context; /* a CUcontext; NULL outside of the block */
    void *before;  /* what was current in the thread; NULL for none */
    pid_t pid;
    wi_holding holding;
} wi_cuda_context;

/**
 * A device's primary context, the one that CUDA's runtime uses: retained for the block, and current in its thread. What
 * was current before is so again afterwards.
 *
 * @param device  number of the GPU, from 0, as the driver counts those that the process may see.
 * @raise on enter WI_CUDA_ERROR: no driver is loaded or initialised (CUDA_ERROR_NOT_INITIALIZED), there is no such
 *        device (CUDA_ERROR_INVALID_DEVICE), …; WI_USAGE_ERROR if the manager is in a block already.
 * @raise on exit WI_CUDA_ERROR: what the driver answers.
 *
 * Processes: a child forked inside the block leaves it alone.   Threads: a block a thread.
 * Cost: the driver's; the first retain of a device makes the context, which takes a part of a second.
 */
#define wi_cuda_context(device) wi__cuda_context(device)

typedef struct wi_cuda_buffer {
    const wi_protocol *protocol;
    size_t bytes;
    uint64_t address; /* on the device, a CUdeviceptr; 0 outside of the block */
    int device;
    pid_t pid;
    wi_holding holding;
} wi_cuda_buffer;

/**
 * Memory of the device whose context is current, for the block: cuMemAlloc and cuMemFree.
 *
 * @param bytes  how much; not 0.
 * @raise on enter WI_CUDA_ERROR: CUDA_ERROR_OUT_OF_MEMORY, CUDA_ERROR_INVALID_CONTEXT, …; WI_USAGE_ERROR if the
 *        manager is in a block already.
 * @raise on exit WI_CUDA_ERROR: what cuMemFree answers, which may be the trouble of a kernel that was started before.
 *
 * The memory is not cleared. Processes: a child forked inside the block leaves it alone.   Threads: a block a thread.
 * Cost: the driver's. cuMemFree waits for what the device is computing.
 */
#define wi_cuda_buffer(bytes) wi__cuda_buffer(bytes)

/* ---- behind the macros ---- */

WI_API wi_cuda_context wi__cuda_context(int device);
WI_API wi_cuda_buffer wi__cuda_buffer(size_t bytes);

WI__END_DECLS

#endif
