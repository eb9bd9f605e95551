/* Memory of the GPUs that the process uses, asked of the CUDA driver if it has loaded one. */
#include <math.h>

#include "manage/cuda_driver.h"
#include "manage/gpu_source.h"
#include "manage/gpu_trackers.h"
#include "manage/system_counters.h"

/* 0 before cuInit, and without a driver. */
static int count_gpus(const wi__cuda *cuda) {
    int count = 0;
    return cuda && cuda->cuDeviceGetCount(&count) == WI__CUDA_SUCCESS ? count : 0;
}

static const wi_gpu_source *source_of(int device) {
    char why_not[160];
    return wi__gpu_driver_source(device, wi__gpu_process(), why_not, sizeof why_not);
}

typedef struct level {
    int gpus;     /* that the driver sees */
    double bytes; /* in use; NaN if the process uses none of them */
} level;

static void add_up(void *arg) {
    level *sum = arg;
    for (int device = 0; device < sum->gpus; device++) {
        const wi_gpu_source *source = source_of(device);
        wi_gpu_figures figures = {0, NAN};
        if (!source) continue;
        source->read(source->of, &figures);
        sum->bytes = figures.current + (isnan(sum->bytes) ? 0 : sum->bytes);
    }
}

/* The program may be capturing a graph, in this thread or another, which has to be told from what is asked here. */
static int add_up_beside_captures(const wi__cuda *cuda, level *sum) {
    int mode = WI__CUDA_CAPTURE_RELAXED;
    int is_changed =
        cuda->has_events && cuda->cuThreadExchangeStreamCaptureMode(&mode) == WI__CUDA_SUCCESS;
    int is_read = wi_call(add_up, sum, NULL);
    if (is_changed) cuda->cuThreadExchangeStreamCaptureMode(&mode);
    return is_read;
}

static int64_t read_gpus(void) {
    const wi__cuda *cuda = wi__cuda_loaded();
    level sum = {count_gpus(cuda), NAN};
    if (!sum.gpus || !add_up_beside_captures(cuda, &sum) || isnan(sum.bytes)) return WI__ABSENT;
    return (int64_t)sum.bytes;
}

/* All that the GPUs in use have. */
static int64_t limit_of_gpus(void) {
    const wi__cuda *cuda = wi__cuda_loaded();
    int gpus = count_gpus(cuda);
    size_t bytes = 0, total = 0;
    for (int device = 0; device < gpus; device++)
        if (source_of(device) && cuda->cuDeviceTotalMem_v2(&bytes, device) == WI__CUDA_SUCCESS)
            total += bytes;
    return total ? (int64_t)total : WI__ABSENT;
}

const wi__counter wi__gpu_counter = {
    .one = "GPU memory",
    .many = "GPU memory",
    .is_bytes = 1,
    .is_dear = 1,
    .growth = WI__IS_SUSPICION,
    .least = 1 << 20,
    .read = read_gpus,
    .limit = limit_of_gpus,
};
