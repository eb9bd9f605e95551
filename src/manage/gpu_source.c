/* The CUDA driver's sources: memory pools, which know their peak, and the whole device, of which nobody knows it. */
#include "manage/gpu_source.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "manage/cuda_driver.h"

enum { GPUS = 64 };

typedef struct gpu {
    int device;
    unsigned uses_pool; /* atomic: the process that was seen to; 0 for none */
    wi_gpu_source pool, whole;
} gpu;

/* ---- memory pools ---- */

static uint64_t pool_figure(const wi__cuda *cuda, wi__cu_pool pool, int attribute) {
    uint64_t bytes = 0;
    wi__cuda_check(cuda, cuda->cuMemPoolGetAttribute(pool, attribute, &bytes),
                   "cuMemPoolGetAttribute");
    return bytes;
}

static wi__cu_pool pool_of(const wi__cuda *cuda, int device) {
    wi__cu_pool pool = NULL;
    wi__cuda_check(cuda, cuda->cuDeviceGetMemPool(&pool, device), "cuDeviceGetMemPool of GPU %d",
                   device);
    return pool;
}

static void read_pool(void *of, wi_gpu_figures *figures) {
    const wi__cuda *cuda = wi__cuda_loaded();
    wi__cu_pool pool = pool_of(cuda, ((const gpu *)of)->device);
    figures->peak = (double)pool_figure(cuda, pool, WI__CUDA_POOL_USED_HIGH);
    figures->current = (double)pool_figure(cuda, pool, WI__CUDA_POOL_USED_CURRENT);
}

static void reset_pool(void *of) {
    const wi__cuda *cuda = wi__cuda_loaded();
    wi__cu_pool pool = pool_of(cuda, ((const gpu *)of)->device);
    uint64_t zero = 0;
    wi__cuda_check(cuda, cuda->cuMemPoolSetAttribute(pool, WI__CUDA_POOL_USED_HIGH, &zero),
                   "cuMemPoolSetAttribute");
}

/* What was never reserved was never used; drivers and devices without pools say so by an error. */
static int has_used_pool(const wi__cuda *cuda, int device) {
    wi__cu_pool pool;
    uint64_t reserved = 0;
    return cuda->has_pools && cuda->cuDeviceGetMemPool(&pool, device) == WI__CUDA_SUCCESS &&
           cuda->cuMemPoolGetAttribute(pool, WI__CUDA_POOL_RESERVED_HIGH, &reserved) ==
               WI__CUDA_SUCCESS &&
           reserved > 0;
}

/* ---- the whole device ---- */

static int has_context_here(const wi__cuda *cuda, int device) {
    wi__cu_context context = NULL;
    int current = -1;
    return cuda->cuCtxGetCurrent(&context) == WI__CUDA_SUCCESS && context &&
           cuda->cuCtxGetDevice(&current) == WI__CUDA_SUCCESS && current == device;
}

static int has_primary_context(const wi__cuda *cuda, int device) {
    unsigned flags;
    int active = 0;
    return cuda->cuDevicePrimaryCtxGetState(device, &flags, &active) == WI__CUDA_SUCCESS && active;
}

/* In the device's primary context, which is there already: this never makes one. */
static int info_in_primary_context(const wi__cuda *cuda, int device, size_t *unused,
                                   size_t *total) {
    wi__cu_context context = NULL;
    int status = cuda->cuDevicePrimaryCtxRetain(&context, device);
    if (status != WI__CUDA_SUCCESS) return status;
    status = cuda->cuCtxPushCurrent_v2(context);
    if (status == WI__CUDA_SUCCESS) {
        status = cuda->cuMemGetInfo_v2(unused, total);
        cuda->cuCtxPopCurrent_v2(&context);
    }
    cuda->cuDevicePrimaryCtxRelease_v2(device);
    return status;
}

static void read_whole(void *of, wi_gpu_figures *figures) {
    const wi__cuda *cuda = wi__cuda_loaded();
    int device = ((const gpu *)of)->device, status;
    size_t unused = 0, total = 0;
    if (has_context_here(cuda, device))
        status = cuda->cuMemGetInfo_v2(&unused, &total);
    else if (has_primary_context(cuda, device))
        status = info_in_primary_context(cuda, device, &unused, &total);
    else
        wi_raise(WI_CUDA_ERROR, "GPU %d has no CUDA context any more", device);
    wi__cuda_check(cuda, status, "cuMemGetInfo of GPU %d", device);
    figures->current = (double)(total - unused);
    figures->peak = NAN;
}

/* ---- choosing ---- */

static gpu gpus[GPUS];

static void fill_in(void) {
    for (int i = 0; i < GPUS; i++) {
        gpu *it = &gpus[i];
        wi_gpu_source pool = {"CUDA memory pool", NULL, 1, it, read_pool, reset_pool};
        wi_gpu_source whole = {"cuMemGetInfo", "device-wide", 0, it, read_whole, NULL};
        it->device = i;
        it->pool = pool;
        it->whole = whole;
    }
}

/* Why the driver can tell nothing of the device; 0 if it can. cuDeviceGetCount initialises nothing. */
static int is_out_of_reach(const wi__cuda *cuda, int device, char *why_not, size_t size) {
    int count = 0;
    int status = cuda ? cuda->cuDeviceGetCount(&count) : WI__CUDA_SUCCESS;
    const char *name = NULL;
    if (!cuda) return snprintf(why_not, size, "the process has no CUDA driver loaded");
    if (status == WI__CUDA_NOT_INITIALIZED)
        return snprintf(why_not, size, "the process has not initialised CUDA");
    if (status != WI__CUDA_SUCCESS)
        return snprintf(why_not, size, "cuDeviceGetCount: %s",
                        cuda->cuGetErrorName(status, &name) == 0 && name ? name : "it failed");
    if (device >= count || device >= GPUS)
        return snprintf(why_not, size, "there is no GPU %d; CUDA sees %d", device, count);
    if (!has_context_here(cuda, device) && !has_primary_context(cuda, device))
        return snprintf(why_not, size, "the process has no CUDA context on GPU %d", device);
    return 0;
}

const wi_gpu_source *wi__gpu_driver_source(int device, unsigned process, char *why_not,
                                           size_t size) {
    static pthread_once_t filled = PTHREAD_ONCE_INIT;
    gpu *it = &gpus[device < GPUS ? device : GPUS - 1];
    why_not[0] = '\0';
    pthread_once(&filled, fill_in);
    if (it->device == device && __atomic_load_n(&it->uses_pool, __ATOMIC_RELAXED) == process)
        return &it->pool; /* for good, but not in a child */
    const wi__cuda *cuda = wi__cuda_loaded();
    if (is_out_of_reach(cuda, device, why_not, size)) return NULL;
    if (!has_used_pool(cuda, device)) return &it->whole;
    __atomic_store_n(&it->uses_pool, process, __ATOMIC_RELAXED);
    return &it->pool;
}

int wi__gpu_is_in_use(int device) {
    char why_not[160];
    return !is_out_of_reach(wi__cuda_loaded(), device, why_not, sizeof why_not);
}
