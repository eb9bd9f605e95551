/*
 * A stand-in for the CUDA driver, for tests on machines without a GPU: two devices whose memory is only counted.
 *
 * libcuda.so.1 of build/tests/gpu has the functions of the driver API that the tests and the library call, by their
 * exported names; they answer as NVIDIA's reference says. What is declared here makes them fail, and looks on.
 */
#ifndef WITHIN_TEST_STANDIN_H
#define WITHIN_TEST_STANDIN_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/** From its call number `after` + 1 on (0: the next), the function answers `status`. 0 ends it. */
void standin_fail(const char *function, int status, int after);
/** How often the function was called in this process. */
int standin_calls(const char *function);
/** Memory that other processes have on a device. */
void standin_others_use(int device, size_t bytes);

/** Have the GPU so much more to compute, behind what it has already. */
void standin_launch(double ms);
/** Let it compute for so long. */
void standin_run(double ms);
/** Let streams be captured into a graph, or no longer. */
void standin_capture(int is_capturing);
/** What the program has done that breaks such a capture, or would be part of the graph: how often. */
int standin_disturbances(void);

/* ---- for the stand-in's own files ---- */

enum {
    GPUS = 2,
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_READY = 600,
};

typedef struct standin_device {
    int retained; /* how often its primary context is */
    size_t allocated, others;
    uint64_t used, used_high, reserved, reserved_high; /* of its memory pool */
} standin_device;

extern standin_device standin_devices[GPUS];
extern pthread_mutex_t standin_lock;
extern __thread standin_device
    *standin_current; /* whose context the thread works in; NULL for none */

/** What a function answers before it does anything: that it is to fail, or that cuInit is missing. */
int standin_begin(const char *function);
#define BEGIN                                                                                      \
    do {                                                                                           \
        int status_ = standin_begin(__func__);                                                     \
        if (status_) return status_;                                                               \
    } while (0)

#endif
