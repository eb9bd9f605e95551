/*
 * The CUDA driver, if the program has loaded it: the functions that are used here, found by name.
 *
 * Declared after NVIDIA's CUDA Driver API reference (docs.nvidia.com/cuda/cuda-driver-api); cuda.h is not needed.
 * Of functions with several versions it is the one that today's cuda.h stands for: cuMemAlloc is cuMemAlloc_v2.
 */
#ifndef WITHIN_MANAGE_CUDA_DRIVER_H
#define WITHIN_MANAGE_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include <within/cuda.h>

/* A CUdevice is an int, and what cuDeviceGet makes of a device's number is that number. */
typedef void *wi__cu_context;
typedef void *wi__cu_pool;
typedef void *wi__cu_event;
typedef void *wi__cu_stream;     /* NULL: the default stream */
typedef uint64_t wi__cu_pointer; /* CUdeviceptr: the address on the device */

enum {
    WI__CUDA_SUCCESS = 0,
    WI__CUDA_NOT_INITIALIZED = 3, /* CUDA_ERROR_NOT_INITIALIZED: nobody has called cuInit yet */
    WI__CUDA_NOT_READY = 600,     /* CUDA_ERROR_NOT_READY: the GPU has not come to the event yet */
    WI__CUDA_CAPTURE_NONE = 0,    /* CU_STREAM_CAPTURE_STATUS_NONE */
    WI__CUDA_CAPTURE_RELAXED = 2, /* CU_STREAM_CAPTURE_MODE_RELAXED: calls disturb no capture */
    WI__CUDA_POOL_RESERVED_HIGH = 6, /* CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH */
    WI__CUDA_POOL_USED_CURRENT = 7,  /* CU_MEMPOOL_ATTR_USED_MEM_CURRENT */
    WI__CUDA_POOL_USED_HIGH = 8,     /* CU_MEMPOOL_ATTR_USED_MEM_HIGH; it is set to 0 only */
};

/* X(name, parameters), all of which return a CUresult: those that every driver has, */
#define WI__CUDA_FUNCTIONS(X)                                                                      \
    X(cuGetErrorName, (int status, const char **name))                                             \
    X(cuDeviceGetCount, (int *count))                                                              \
    X(cuDeviceGetName, (char *name, int size, int device))                                         \
    X(cuDeviceTotalMem_v2, (size_t *bytes, int device))                                            \
    X(cuDevicePrimaryCtxGetState, (int device, unsigned *flags, int *active))                      \
    X(cuDevicePrimaryCtxRetain, (wi__cu_context * context, int device))                            \
    X(cuDevicePrimaryCtxRelease_v2, (int device))                                                  \
    X(cuCtxGetCurrent, (wi__cu_context * context))                                                 \
    X(cuCtxSetCurrent, (wi__cu_context context))                                                   \
    X(cuCtxGetDevice, (int *device))                                                               \
    X(cuCtxPushCurrent_v2, (wi__cu_context context))                                               \
    X(cuCtxPopCurrent_v2, (wi__cu_context * context))                                              \
    X(cuMemGetInfo_v2, (size_t *free, size_t *total))                                              \
    X(cuMemAlloc_v2, (wi__cu_pointer * address, size_t bytes))                                     \
    X(cuMemFree_v2, (wi__cu_pointer address))
/* those that came with CUDA 10.1, */
#define WI__CUDA_EVENT_FUNCTIONS(X)                                                                \
    X(cuEventCreate, (wi__cu_event * event, unsigned flags))                                       \
    X(cuEventDestroy_v2, (wi__cu_event event))                                                     \
    X(cuEventRecord, (wi__cu_event event, wi__cu_stream stream))                                   \
    X(cuEventQuery, (wi__cu_event event))                                                          \
    X(cuEventElapsedTime, (float *milliseconds, wi__cu_event start, wi__cu_event end))             \
    X(cuStreamIsCapturing, (wi__cu_stream stream, int *status))                                    \
    X(cuThreadExchangeStreamCaptureMode, (int *mode))
/* and those that came with CUDA 11.2. */
#define WI__CUDA_POOL_FUNCTIONS(X)                                                                 \
    X(cuDeviceGetMemPool, (wi__cu_pool * pool, int device))                                        \
    X(cuMemPoolGetAttribute, (wi__cu_pool pool, int attribute, void *value))                       \
    X(cuMemPoolSetAttribute, (wi__cu_pool pool, int attribute, void *value))

typedef struct wi__cuda {
#define WI__CUDA_MEMBER(name, parameters) int(*name) parameters;
    WI__CUDA_FUNCTIONS(WI__CUDA_MEMBER)
    WI__CUDA_EVENT_FUNCTIONS(WI__CUDA_MEMBER)
    WI__CUDA_POOL_FUNCTIONS(WI__CUDA_MEMBER)
#undef WI__CUDA_MEMBER
    int has_events, has_pools;
} wi__cuda;

/** The driver that this process has loaded, for good; NULL if it has none yet. Never loads it. */
const wi__cuda *wi__cuda_loaded(void);

/** The same, where there must be one. @raise WI_CUDA_ERROR if there is none. */
const wi__cuda *wi__cuda_needed(void);

/** Raise WI_CUDA_ERROR unless the status is CUDA_SUCCESS: "what: CUDA_ERROR_OUT_OF_MEMORY", `what` by format. */
void wi__cuda_check(const wi__cuda *cuda, int status, const char *format, ...) WI__PRINTF(3, 4);

#endif
