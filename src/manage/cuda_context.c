/* wi_cuda_context: a device's primary context, retained and current for a block. */
#include <within/cuda.h>

#include <stdio.h>
#include <unistd.h>

#include "manage/cuda_driver.h"
#include "manage/gpu_timing.h"

/* @return what the driver answers to the step that fails; all is as before then. */
static int make_current(const wi__cuda *cuda, wi_cuda_context *it) {
    wi__cu_context context = NULL;
    int status = cuda->cuDevicePrimaryCtxRetain(&context, it->device);
    if (status != WI__CUDA_SUCCESS) return status;
    status = cuda->cuCtxGetCurrent(&it->before);
    if (status == WI__CUDA_SUCCESS) status = cuda->cuCtxSetCurrent(context);
    if (status == WI__CUDA_SUCCESS)
        it->context = context;
    else
        cuda->cuDevicePrimaryCtxRelease_v2(it->device);
    return status;
}

static void context_enter(void *self) {
    wi_cuda_context *it = self;
    if (it->context)
        wi_raise(WI_USAGE_ERROR, "GPU %d: this wi_cuda_context is in a block already", it->device);
    const wi__cuda *cuda = wi__cuda_needed();
    wi__cuda_check(cuda, make_current(cuda, it), "use the context of GPU %d", it->device);
    it->pid = getpid();
    it->holding = wi_hold("gpu context", "GPU %d", it->device);
}

static wi_verdict context_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_cuda_context *it = self;
    wi__cu_context context = it->context;
    wi_let_go(it->holding);
    it->context = NULL;
    if (it->pid != getpid()) return WI_PROPAGATE;
    const wi__cuda *cuda = wi__cuda_needed();
    wi__gpu_timing_end_context(cuda, context);
    int put_back = cuda->cuCtxSetCurrent(it->before);
    wi__cuda_check(cuda, cuda->cuDevicePrimaryCtxRelease_v2(it->device),
                   "release the context of GPU %d", it->device);
    wi__cuda_check(cuda, put_back, "put the context back that was before that of GPU %d",
                   it->device);
    return WI_PROPAGATE;
}

static void context_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "GPU %d", ((const wi_cuda_context *)self)->device);
}

static const wi_protocol context_protocol = {"GPU context", context_enter, context_exit,
                                             context_describe};

wi_cuda_context wi__cuda_context(int device) {
    wi_cuda_context context = {&context_protocol, device, NULL, NULL, 0, {NULL, 0}};
    return context;
}
