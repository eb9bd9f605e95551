/*
 * What uses a GPU against the driver's calls that are needed for it, on the stand-in driver: what is left is the cost
 * of the rest.
 *
 * The stand-in answers in some ten nanoseconds; a real driver takes longer, and the ratio is nearer to 1 there.
 */
#include <stdint.h>
#include <stdlib.h>

#include <within.h>

#include "harness.h"
#include "watched.h"

int cuInit(unsigned flags);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuCtxSetCurrent(void *context);
int cuDeviceGetMemPool(void **pool, int device);
int cuMemPoolGetAttribute(void *pool, int attribute, void *value);
int cuMemPoolSetAttribute(void *pool, int attribute, void *value);
int cuMemAllocAsync(uint64_t *address, size_t bytes, void *stream);
int cuMemAlloc_v2(uint64_t *address, size_t bytes);
int cuMemFree_v2(uint64_t address);
int cuEventCreate(void **event, unsigned flags);
int cuEventRecord(void *event, void *stream);
int cuEventQuery(void *event);
int cuEventElapsedTime(float *milliseconds, void *begin, void *end);

enum { USED_CURRENT = 7, USED_HIGH = 8 };

static void check(int status) {
    if (status) abort();
}

/* ---- memory of blocks ---- */

static void tracked(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_gpu_memory(0, "step", .quiet = 1)) continue;
    }
}

static uint64_t boundary(void) {
    void *pool;
    uint64_t high, current, zero = 0;
    check(cuDeviceGetMemPool(&pool, 0));
    check(cuMemPoolGetAttribute(pool, USED_HIGH, &high));
    check(cuMemPoolGetAttribute(pool, USED_CURRENT, &current));
    check(cuDeviceGetMemPool(&pool, 0));
    check(cuMemPoolSetAttribute(pool, USED_HIGH, &zero));
    return high + current;
}

static void bare_calls(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        boundary();
        boundary();
    }
}

/* ---- time of sections ---- */

static void gpu_sections(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_gpu_section("kernel")) continue;
    }
}

static void timed_by_hand(size_t n, int size) {
    (void)size;
    static void *begin, *end;
    float milliseconds;
    if (!begin) check(cuEventCreate(&begin, 0) || cuEventCreate(&end, 0));
    for (size_t i = 0; i < n; i++) {
        within (wi_section("kernel by hand")) {
            boundary();
            check(cuEventRecord(begin, NULL));
            check(cuEventRecord(end, NULL));
            boundary();
            check(cuEventQuery(end));
            check(cuEventElapsedTime(&milliseconds, begin, end));
        }
    }
}

/* ---- device memory ---- */

static void buffers(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_cuda_buffer(4096)) continue;
    }
}

static void allocations(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        uint64_t address;
        check(cuMemAlloc_v2(&address, 4096));
        check(cuMemFree_v2(address));
    }
}

/* ---- the leak watch, which counts it ---- */

static void bench_watch(void) {
    const bench_target one_percent = {BENCH_RATIO, 1.01};
    within (wi_watch(.sections = "watched", .quiet = 1)) {
        bench("leak watch with a GPU: watched section of 1,000 steps", watched, not_watched,
              .size = 1000, .target = one_percent);
    }
}

static void bench_inside(int depth) {
    if (depth == 0) {
        bench("GPU memory of a block in 8 others", tracked, bare_calls);
        return;
    }
    within (wi_gpu_memory(0, NULL, .quiet = 1)) bench_inside(depth - 1);
}

int main(void) {
    void *context;
    uint64_t address;
    check(cuInit(0) || cuDevicePrimaryCtxRetain(&context, 0) || cuCtxSetCurrent(context));
    check(cuMemAllocAsync(&address, 1 << 20, NULL));
    bench("GPU memory of a block", tracked, bare_calls);
    bench_inside(8);
    bench("GPU section", gpu_sections, timed_by_hand);
    bench("GPU buffer", buffers, allocations);
    bench_watch();
    return 0;
}
