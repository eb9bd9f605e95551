/* wi_cuda_context, wi_cuda_buffer: acquired and released as blocks, and what the driver says to them. */
#include "gpu_helpers.h"
#include "record_helpers.h"

static void expect_raised(void (*body)(void *arg), void *arg, const char *kind,
                          const char *message) {
    wi_error *error;
    wi_call(body, arg, &error);
    expect(error != NULL);
    expect_text(wi_error_kind(error)->name, kind);
    expect_text(wi_error_message(error), message);
    wi_error_free(error);
}

#define expect_cuda_error(body, arg, message) expect_raised(body, arg, "WI_CUDA_ERROR", message)

static void *current(void) {
    void *context = NULL;
    succeed(driver.cuCtxGetCurrent(&context));
    return context;
}

static int is_active(int device) {
    unsigned flags;
    int active = -1;
    succeed(driver.cuDevicePrimaryCtxGetState(device, &flags, &active));
    return active;
}

static void initialise(void) {
    if (!driver.library) load_driver();
    succeed(driver.cuInit(0));
}

/* What the ledger lists, innermost first. */
static void expect_held(const char *text) {
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), text);
    wi__profile_release(&profile);
}

static void run(void *manager) {
    within ((wi_manager *)manager) continue;
}

static void run_and_fail(void *manager) {
    within ((wi_manager *)manager) wi_raise(WI_VALUE_ERROR, "diverged");
}

static void run_twice(void *manager) {
    within ((wi_manager *)manager) run(manager);
}

/* ---- contexts ---- */

alone(a_context_is_there_for_its_block) {
    initialise();
    expect(!is_active(0));
    within (gpu, wi_cuda_context(0)) {
        expect(gpu->context && current() == gpu->context && is_active(0));
        expect_held("gpu context GPU 0");
    }
    expect(!is_active(0) && current() == NULL);
    expect_held("");
}

on_the_stand_in(what_was_current_before_is_so_again) {
    void *before;
    initialise();
    succeed(driver.cuDevicePrimaryCtxRetain(&before, 0));
    succeed(driver.cuCtxSetCurrent(before));
    within (wi_cuda_context(1)) {
        expect(current() != before);
        within (wi_cuda_context(0)) expect(current() == before);
        succeed(driver.cuCtxSetCurrent(NULL)); /* what a body does to it is undone too */
    }
    expect(current() == before && is_active(0) && !is_active(1));
}

alone(a_context_is_released_when_the_body_fails) {
    wi_cuda_context gpu = wi_cuda_context(0);
    initialise();
    expect_raised(run_and_fail, &gpu, "WI_VALUE_ERROR", "diverged");
    expect(!is_active(0) && current() == NULL && gpu.context == NULL);
    within (&gpu) expect(is_active(0));
}

alone(a_context_needs_a_driver_that_is_initialised) {
    wi_cuda_context gpu = wi_cuda_context(0);
    expect_cuda_error(run, &gpu, "the process has no CUDA driver loaded");
    load_driver();
    expect_cuda_error(run, &gpu, "use the context of GPU 0: CUDA_ERROR_NOT_INITIALIZED");
    if (driver.calls) expect_count(driver.calls("cuInit"), 0);
    expect_held("");
}

alone(a_gpu_that_is_not_there_has_no_context) {
    wi_cuda_context gpu = wi_cuda_context(99);
    initialise();
    expect_cuda_error(run, &gpu, "use the context of GPU 99: CUDA_ERROR_INVALID_DEVICE");
}

on_the_stand_in(a_context_that_cannot_be_made_current_is_released) {
    wi_cuda_context gpu = wi_cuda_context(0);
    initialise();
    driver.let_fail("cuCtxSetCurrent", 719, 0);
    expect_cuda_error(run, &gpu, "use the context of GPU 0: CUDA_ERROR_LAUNCH_FAILED");
    expect(!is_active(0) && gpu.context == NULL);
}

static void fail_to_put_back(void *gpu) {
    within ((wi_cuda_context *)gpu) driver.let_fail("cuCtxSetCurrent", 719, 0);
}

static void fail_to_release(void *gpu) {
    within ((wi_cuda_context *)gpu) driver.let_fail("cuDevicePrimaryCtxRelease_v2", 719, 0);
}

on_the_stand_in(a_driver_that_fails_at_the_end_is_heard) {
    wi_cuda_context gpu = wi_cuda_context(0);
    initialise();
    expect_cuda_error(fail_to_put_back, &gpu,
                      "put the context back that was before that of GPU 0: "
                      "CUDA_ERROR_LAUNCH_FAILED");
    expect(!is_active(0));
    driver.let_fail("cuCtxSetCurrent", 0, 0);
    expect_cuda_error(fail_to_release, &gpu,
                      "release the context of GPU 0: CUDA_ERROR_LAUNCH_FAILED");
    expect_held("");
}

alone(a_context_is_in_one_block_at_a_time) {
    wi_cuda_context gpu = wi_cuda_context(0);
    initialise();
    expect_raised(run_twice, &gpu, "WI_USAGE_ERROR",
                  "GPU 0: this wi_cuda_context is in a block already");
    expect(!is_active(0));
}

/* ---- buffers ---- */

alone(a_buffer_is_there_for_its_block) {
    wi_cuda_buffer kept = wi_cuda_buffer(1 << 20);
    use_gpu();
    within (buffer, wi_cuda_buffer(4096)) {
        expect(buffer->address && buffer->bytes == 4096 && buffer->device == 0);
        within (&kept) {
            expect(kept.address && kept.address != buffer->address);
            expect_held("gpu buffer 1048576 bytes on GPU 0, gpu buffer 4096 bytes on GPU 0");
        }
    }
    expect(kept.address == 0);
    expect_held("");
}

static size_t in_use(void) {
    wi_gpu_memory memory = wi_gpu_memory(0, NULL, .quiet = 1);
    within (&memory) continue;
    return (size_t)memory.current;
}

on_the_stand_in(a_buffer_is_freed_when_the_body_fails) {
    wi_cuda_buffer buffer = wi_cuda_buffer((size_t)64 << 20);
    use_gpu();
    expect_count(in_use(), 0);
    within (&buffer) expect_count(in_use(), 64 << 20);
    expect_raised(run_and_fail, &buffer, "WI_VALUE_ERROR", "diverged");
    expect_count(in_use(), 0);
}

alone(more_than_there_is_cannot_be_had) {
    wi_cuda_buffer buffer = wi_cuda_buffer((size_t)1 << 50);
    use_gpu();
    expect_cuda_error(run, &buffer,
                      "allocate 1125899906842624 bytes on GPU 0: CUDA_ERROR_OUT_OF_MEMORY");
    buffer.bytes = 0;
    expect_cuda_error(run, &buffer, "allocate 0 bytes on GPU 0: CUDA_ERROR_INVALID_VALUE");
    expect_held("");
}

alone(a_buffer_needs_a_context) {
    wi_cuda_buffer buffer = wi_cuda_buffer(4096);
    expect_cuda_error(run, &buffer, "the process has no CUDA driver loaded");
    initialise();
    expect_cuda_error(run, &buffer, "allocate 4096 bytes on a GPU: CUDA_ERROR_INVALID_CONTEXT");
}

static void fail_to_free(void *buffer) {
    within ((wi_cuda_buffer *)buffer) driver.let_fail("cuMemFree_v2", 719, 0);
}

on_the_stand_in(a_kernel_that_failed_before_is_heard_at_the_end) {
    wi_cuda_buffer buffer = wi_cuda_buffer(4096);
    use_gpu();
    expect_cuda_error(fail_to_free, &buffer, "free 4096 bytes on GPU 0: CUDA_ERROR_LAUNCH_FAILED");
    expect(buffer.address == 0);
    expect_held("");
}

alone(a_buffer_is_in_one_block_at_a_time) {
    wi_cuda_buffer buffer = wi_cuda_buffer(4096);
    use_gpu();
    expect_raised(run_twice, &buffer, "WI_USAGE_ERROR",
                  "4096 bytes on GPU 0: this wi_cuda_buffer is in a block already");
}

/* ---- forks ---- */

alone(a_child_forked_inside_the_blocks_leaves_the_gpu_alone) {
    wi_cuda_context gpu = wi_cuda_context(0);
    wi_cuda_buffer buffer = wi_cuda_buffer(4096);
    int status = -1;
    initialise();
    within (&gpu) {
        within (&buffer) {
            pid_t child = fork();
            if (child == 0) {
                buffer.protocol->exit(&buffer, WI_END, NULL);
                gpu.protocol->exit(&gpu, WI_END, NULL);
                if (driver.calls) expect_count(driver.calls("cuMemFree_v2"), 0);
                _exit(0);
            }
            expect(waitpid(child, &status, 0) == child && status == 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_context_is_there_for_its_block),
        test(what_was_current_before_is_so_again),
        test(a_context_is_released_when_the_body_fails),
        test(a_context_needs_a_driver_that_is_initialised),
        test(a_gpu_that_is_not_there_has_no_context),
        test(a_context_that_cannot_be_made_current_is_released),
        test(a_driver_that_fails_at_the_end_is_heard),
        test(a_context_is_in_one_block_at_a_time),
        test(a_buffer_is_there_for_its_block),
        test(a_buffer_is_freed_when_the_body_fails),
        test(more_than_there_is_cannot_be_had),
        test(a_buffer_needs_a_context),
        test(a_kernel_that_failed_before_is_heard_at_the_end),
        test(a_buffer_is_in_one_block_at_a_time),
        test(a_child_forked_inside_the_blocks_leaves_the_gpu_alone),
    };
    return cmocka_run_group_tests_name("cuda", tests, NULL, NULL);
}
