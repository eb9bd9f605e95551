/* The stand-in's devices, contexts and memory. */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>

typedef uint64_t pointer;

int cuDeviceGetCount(int *count);
int cuDeviceGet(int *device, int number);
int cuDeviceGetName(char *name, int size, int device);
int cuDeviceTotalMem_v2(size_t *bytes, int device);
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuDevicePrimaryCtxRelease_v2(int device);
int cuCtxGetCurrent(void **context);
int cuCtxSetCurrent(void *context);
int cuCtxGetDevice(int *device);
int cuCtxPushCurrent_v2(void *context);
int cuCtxPopCurrent_v2(void **context);
int cuCtxSynchronize(void);
int cuMemGetInfo_v2(size_t *unused, size_t *total);
int cuMemAlloc_v2(pointer *address, size_t bytes);
int cuMemFree_v2(pointer address);
int cuMemAllocAsync(pointer *address, size_t bytes, void *stream);
int cuMemFreeAsync(pointer address, void *stream);
int cuDeviceGetMemPool(void **pool, int device);
int cuMemPoolGetAttribute(void *pool, int attribute, void *value);
int cuMemPoolSetAttribute(void *pool, int attribute, void *value);

static const size_t TOTAL = (size_t)80 << 30;

void standin_others_use(int device, size_t bytes) { standin_devices[device].others = bytes; }

/* ---- devices and contexts ---- */

int cuDeviceGetCount(int *count) {
    BEGIN;
    *count = GPUS;
    return SUCCESS;
}

int cuDeviceGet(int *device, int number) {
    BEGIN;
    if (number < 0 || number >= GPUS) return INVALID_DEVICE;
    *device = number;
    return SUCCESS;
}

int cuDeviceGetName(char *name, int size, int device) {
    BEGIN;
    if (device < 0 || device >= GPUS) return INVALID_DEVICE;
    snprintf(name, (size_t)size, "Stand-in %d", device);
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    BEGIN;
    if (device < 0 || device >= GPUS) return INVALID_DEVICE;
    *bytes = TOTAL;
    return SUCCESS;
}

int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
    BEGIN;
    *flags = 0;
    *active = standin_devices[device].retained > 0;
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    BEGIN;
    if (device < 0 || device >= GPUS) return INVALID_DEVICE;
    pthread_mutex_lock(&standin_lock);
    standin_devices[device].retained++;
    pthread_mutex_unlock(&standin_lock);
    *context = &standin_devices[device];
    return SUCCESS;
}

/* With its context a device loses what was allocated in it. */
int cuDevicePrimaryCtxRelease_v2(int device) {
    BEGIN;
    standin_device *it = &standin_devices[device];
    pthread_mutex_lock(&standin_lock);
    int status = it->retained > 0 ? SUCCESS : INVALID_CONTEXT;
    if (!status && --it->retained == 0) it->allocated = 0;
    pthread_mutex_unlock(&standin_lock);
    return status;
}

int cuCtxGetCurrent(void **context) {
    BEGIN;
    *context = standin_current;
    return SUCCESS;
}

int cuCtxSetCurrent(void *context) {
    BEGIN;
    standin_current = context;
    return SUCCESS;
}

int cuCtxGetDevice(int *device) {
    BEGIN;
    if (!standin_current) return INVALID_CONTEXT;
    *device = (int)(standin_current - standin_devices);
    return SUCCESS;
}

enum { DEEPEST = 16 };
static __thread standin_device *below[DEEPEST];
static __thread int depth;

int cuCtxPushCurrent_v2(void *context) {
    BEGIN;
    if (depth == DEEPEST) return INVALID_VALUE;
    below[depth++] = standin_current;
    standin_current = context;
    return SUCCESS;
}

int cuCtxPopCurrent_v2(void **context) {
    BEGIN;
    if (!depth) return INVALID_CONTEXT;
    *context = standin_current;
    standin_current = below[--depth];
    return SUCCESS;
}

/* What is asked of the stand-in is done at once. */
int cuCtxSynchronize(void) {
    BEGIN;
    return standin_current ? SUCCESS : INVALID_CONTEXT;
}

/* ---- memory ---- */

static size_t in_use(const standin_device *device) {
    return device->allocated + device->others + device->reserved;
}

int cuMemGetInfo_v2(size_t *unused, size_t *total) {
    BEGIN;
    if (!standin_current) return INVALID_CONTEXT;
    pthread_mutex_lock(&standin_lock);
    *unused = TOTAL - in_use(standin_current);
    pthread_mutex_unlock(&standin_lock);
    *total = TOTAL;
    return SUCCESS;
}

/* An address is that of a note of how much it is, and where. Notes are kept: none is given back twice. */
typedef struct piece {
    struct piece *next;
    standin_device *device;
    size_t bytes;
    int is_of_pool, is_free;
} piece;

static piece *pieces;

static void count_pool(standin_device *device, size_t bytes) {
    const uint64_t step = 32 << 20;
    device->used += bytes;
    if (device->used > device->reserved) device->reserved = (device->used + step - 1) / step * step;
    if (device->used > device->used_high) device->used_high = device->used;
    if (device->reserved > device->reserved_high) device->reserved_high = device->reserved;
}

static int allocate(pointer *address, size_t bytes, int is_of_pool) {
    standin_device *device = standin_current;
    if (!device) return INVALID_CONTEXT;
    if (!bytes) return INVALID_VALUE;
    pthread_mutex_lock(&standin_lock);
    piece *made = bytes <= TOTAL - in_use(device) ? malloc(sizeof *made) : NULL;
    if (made) {
        piece it = {pieces, device, bytes, is_of_pool, 0};
        *made = it;
        pieces = made;
        if (is_of_pool)
            count_pool(device, bytes);
        else
            device->allocated += bytes;
    }
    pthread_mutex_unlock(&standin_lock);
    *address = (pointer)(uintptr_t)made;
    return made ? SUCCESS : OUT_OF_MEMORY;
}

static int free_piece(pointer address, int is_of_pool) {
    piece *freed = (piece *)(uintptr_t)address;
    if (!freed) return is_of_pool ? INVALID_VALUE : SUCCESS;
    pthread_mutex_lock(&standin_lock);
    int is_taken = !freed->is_free;
    if (is_taken && freed->is_of_pool) freed->device->used -= freed->bytes;
    if (is_taken && !freed->is_of_pool) freed->device->allocated -= freed->bytes;
    freed->is_free = 1;
    pthread_mutex_unlock(&standin_lock);
    return is_taken ? SUCCESS : INVALID_VALUE;
}

int cuMemAlloc_v2(pointer *address, size_t bytes) {
    BEGIN;
    return allocate(address, bytes, 0);
}

int cuMemFree_v2(pointer address) {
    BEGIN;
    return free_piece(address, 0);
}

int cuMemAllocAsync(pointer *address, size_t bytes, void *stream) {
    (void)stream;
    BEGIN;
    return allocate(address, bytes, 1);
}

int cuMemFreeAsync(pointer address, void *stream) {
    (void)stream;
    BEGIN;
    return free_piece(address, 1);
}

/* ---- memory pools ---- */

int cuDeviceGetMemPool(void **pool, int device) {
    BEGIN;
    if (device < 0 || device >= GPUS) return INVALID_DEVICE;
    *pool = &standin_devices[device];
    return SUCCESS;
}

int cuMemPoolGetAttribute(void *pool, int attribute, void *value) {
    BEGIN;
    const standin_device *device = pool;
    pthread_mutex_lock(&standin_lock);
    const uint64_t values[] = {device->reserved, device->reserved_high, device->used,
                               device->used_high};
    pthread_mutex_unlock(&standin_lock);
    if (attribute < 5 || attribute > 8) return INVALID_VALUE;
    *(uint64_t *)value = values[attribute - 5];
    return SUCCESS;
}

/* Only the high-water marks, and only to 0: they go on from what is in use. */
int cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
    BEGIN;
    standin_device *device = pool;
    if (*(const uint64_t *)value != 0) return INVALID_VALUE;
    pthread_mutex_lock(&standin_lock);
    if (attribute == 6) device->reserved_high = device->reserved;
    if (attribute == 8) device->used_high = device->used;
    pthread_mutex_unlock(&standin_lock);
    return attribute == 6 || attribute == 8 ? SUCCESS : INVALID_VALUE;
}
