/*
 * What the GPU's tests share: the driver that is found as libcuda.so.1, loaded as a program would, and its calls.
 *
 * Under `meson test` that is the stand-in of tests/gpu. Under `make test-gpu`, which sets WITHIN_TEST_GPU, it is the
 * real one, and what only the stand-in can do is skipped.
 */
#ifndef WITHIN_GPU_HELPERS_H
#define WITHIN_GPU_HELPERS_H

#include <dlfcn.h>

#include "../gpu/standin.h"
#include "process_helpers.h"

#define DRIVER_FUNCTIONS(X)                                                                        \
    X(cuInit, (unsigned flags))                                                                    \
    X(cuDevicePrimaryCtxRetain, (void **context, int device))                                      \
    X(cuDevicePrimaryCtxRelease_v2, (int device))                                                  \
    X(cuDevicePrimaryCtxGetState, (int device, unsigned *flags, int *active))                      \
    X(cuCtxGetCurrent, (void **context))                                                           \
    X(cuCtxSetCurrent, (void *context))                                                            \
    X(cuCtxSynchronize, (void))                                                                    \
    X(cuMemAlloc_v2, (uint64_t *address, size_t bytes))                                            \
    X(cuMemFree_v2, (uint64_t address))                                                            \
    X(cuMemAllocAsync, (uint64_t *address, size_t bytes, void *stream))                            \
    X(cuMemFreeAsync, (uint64_t address, void *stream))

static struct {
    void *library;
#define DECLARE(name, parameters) int(*name) parameters;
    DRIVER_FUNCTIONS(DECLARE)
#undef DECLARE
    void (*let_fail)(const char *function, int status, int after);
    int (*calls)(const char *function);
    void (*others_use)(int device, size_t bytes);
    void (*launch)(double ms);
    void (*run)(double ms);
    void (*capture)(int is_capturing);
    int (*disturbances)(void);
} driver;

/* POSIX has functions come as pointers to data. */
static void find_function(const char *name, void *function) {
    void *found = dlsym(driver.library, name);
    memcpy(function, &found, sizeof found);
}

WI__UNUSED static void load_driver(void) {
    driver.library = dlopen("libcuda.so.1", RTLD_NOW);
    expect_that(driver.library != NULL, WHERE, "there is no libcuda.so.1: set LD_LIBRARY_PATH");
#define FIND(name, parameters) find_function(#name, &driver.name);
    DRIVER_FUNCTIONS(FIND)
#undef FIND
    find_function("standin_fail", &driver.let_fail);
    find_function("standin_calls", &driver.calls);
    find_function("standin_others_use", &driver.others_use);
    find_function("standin_launch", &driver.launch);
    find_function("standin_run", &driver.run);
    find_function("standin_capture", &driver.capture);
    find_function("standin_disturbances", &driver.disturbances);
}

#define succeed(call) expect_count(call, 0)

/* GPU 0's primary context, current in this thread: what the first call of CUDA's runtime makes. */
WI__UNUSED static void use_gpu(void) {
    void *context;
    if (!driver.library) load_driver();
    succeed(driver.cuInit(0));
    succeed(driver.cuDevicePrimaryCtxRetain(&context, 0));
    succeed(driver.cuCtxSetCurrent(context));
}

/* As alone(name), for what the real driver cannot be asked to do. */
#define on_the_stand_in(name)                                                                      \
    static void name##_body(void);                                                                 \
    static void name(void **state WI__UNUSED) {                                                    \
        if (getenv("WITHIN_TEST_GPU")) skip();                                                     \
        assert_int_equal(status_of(name##_body), 0);                                               \
    }                                                                                              \
    static void name##_body(void)

/* Memory of the device's pool. */
WI__UNUSED static uint64_t take(size_t bytes) {
    uint64_t address = 0;
    succeed(driver.cuMemAllocAsync(&address, bytes, NULL));
    return address;
}

WI__UNUSED static void give(uint64_t address) {
    succeed(driver.cuMemFreeAsync(address, NULL));
    succeed(driver.cuCtxSynchronize());
}

WI__UNUSED static void use_pool(void) {
    use_gpu();
    give(take(1));
}

#endif
