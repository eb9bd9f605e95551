/* What the GPUs of a process are, in words. */
#include "manage/gpu_name.h"

#include <stdio.h>

#include "manage/cuda_driver.h"

int wi__gpu_name(int device, char *text, size_t size) {
    const wi__cuda *cuda = wi__cuda_loaded();
    char name[128] = "";
    size_t bytes = 0;
    int count = 0;
    if (!cuda || cuda->cuDeviceGetCount(&count) != WI__CUDA_SUCCESS || device >= count ||
        cuda->cuDeviceGetName(name, sizeof name, device) != WI__CUDA_SUCCESS ||
        cuda->cuDeviceTotalMem_v2(&bytes, device) != WI__CUDA_SUCCESS)
        return 0;
    snprintf(text, size, "%s, %.1f GiB", name, (double)bytes / (1 << 30));
    return 1;
}
