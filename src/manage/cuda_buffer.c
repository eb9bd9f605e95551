/* wi_cuda_buffer: memory of a device, for a block. */
#include <within/cuda.h>

#include <stdio.h>
#include <unistd.h>

#include "manage/cuda_driver.h"

static void buffer_enter(void *self) {
    wi_cuda_buffer *it = self;
    if (it->address)
        wi_raise(WI_USAGE_ERROR, "%zu bytes on GPU %d: this wi_cuda_buffer is in a block already",
                 it->bytes, it->device);
    const wi__cuda *cuda = wi__cuda_needed();
    wi__cuda_check(cuda, cuda->cuCtxGetDevice(&it->device), "allocate %zu bytes on a GPU",
                   it->bytes);
    wi__cuda_check(cuda, cuda->cuMemAlloc_v2(&it->address, it->bytes),
                   "allocate %zu bytes on GPU %d", it->bytes, it->device);
    it->pid = getpid();
    it->holding = wi_hold("gpu buffer", "%zu bytes on GPU %d", it->bytes, it->device);
}

static wi_verdict buffer_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_cuda_buffer *it = self;
    wi__cu_pointer address = it->address;
    wi_let_go(it->holding);
    it->address = 0;
    if (it->pid != getpid()) return WI_PROPAGATE;
    const wi__cuda *cuda = wi__cuda_needed();
    wi__cuda_check(cuda, cuda->cuMemFree_v2(address), "free %zu bytes on GPU %d", it->bytes,
                   it->device);
    return WI_PROPAGATE;
}

static void buffer_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%zu bytes", ((const wi_cuda_buffer *)self)->bytes);
}

static const wi_protocol buffer_protocol = {"GPU buffer", buffer_enter, buffer_exit,
                                            buffer_describe};

wi_cuda_buffer wi__cuda_buffer(size_t bytes) {
    wi_cuda_buffer buffer = {&buffer_protocol, bytes, 0, 0, 0, {NULL, 0}};
    return buffer;
}
