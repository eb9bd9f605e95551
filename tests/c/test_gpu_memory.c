/* wi_gpu_memory: figures of nested and overlapping blocks, its line, and everything that a GPU lacks. */
#include "gpu_helpers.h"

enum { LAUNCH_FAILED = 719 };
static const size_t MIB2 = 2 << 20; /* real pools hand out no less */

static char *printed;
static size_t printed_length;

static FILE *printing(void) { return open_memstream(&printed, &printed_length); }

static void expect_printed(FILE *stream, const char *text) {
    fclose(stream);
    expect_text(printed, text);
    free(printed);
}

static void enter(wi_gpu_memory *memory) { memory->protocol->enter(memory); }
static void leave(wi_gpu_memory *memory) { memory->protocol->exit(memory, WI_END, NULL); }

static void expect_untracked(const wi_gpu_memory *memory, const char *why_not) {
    expect(memory->source == NULL);
    expect_text(memory->why_not, why_not);
    expect(isnan(memory->delta) && isnan(memory->current) && isnan(memory->peak));
}

/* ---- an allocator of the program's own, as a source ---- */

static struct {
    double current, peak;
    int fails, reads, resets;
} heap;

static void heap_set(double bytes) {
    heap.current = bytes;
    heap.peak = fmax(heap.peak, bytes);
}

static void heap_read(void *of, wi_gpu_figures *figures) {
    expect(of == &heap);
    heap.reads++;
    if (heap.fails) wi_raise(WI_OS_ERROR, "the heap is gone");
    figures->current = heap.current;
    figures->peak = heap.peak;
}

static void heap_reset(void *of) {
    expect(of == &heap);
    heap.resets++;
    heap.peak = heap.current;
}

static const wi_gpu_source HEAP = {"heap", NULL, 1, &heap, heap_read, heap_reset};
static const wi_gpu_source HEAP_WITHOUT_RESET = {"heap", NULL, 1, &heap, heap_read, NULL};

/* ---- the line ---- */

alone(the_line_has_megabytes_with_one_decimal) {
    FILE *stream = printing();
    heap_set(450.2e6);
    within (wi_gpu_memory(0, "Forward pass", .source = &HEAP, .stream = stream)) {
        heap_set(612.3e6);
        heap_set(578.7e6);
    }
    expect_printed(stream,
                   "[Forward pass] GPU Memory: delta=+128.5MB, current=578.7MB, peak=612.3MB\n");
}

alone(without_a_label_there_is_no_prefix) {
    FILE *stream = printing();
    heap_set(2e6);
    within (wi_gpu_memory(0, NULL, .source = &HEAP, .stream = stream)) heap_set(0.51e6);
    heap_set(49999);
    within (wi_gpu_memory(0, "", .source = &HEAP, .stream = stream)) heap_set(0);
    expect_printed(stream, "GPU Memory: delta=-1.5MB, current=0.5MB, peak=2.0MB\n"
                           "GPU Memory: delta=+0.0MB, current=0.0MB, peak=0.0MB\n");
}

alone(it_prints_on_stderr_by_default) {
    char said[128] = "";
    int out = open("said", O_RDWR | O_CREAT, 0600), kept = dup(2);
    dup2(out, 2);
    within (wi_gpu_memory(0, "label", .source = &HEAP)) continue;
    within (wi_gpu_memory(0, "quiet", .source = &HEAP, .quiet = 1)) continue;
    dup2(kept, 2);
    expect(pread(out, said, sizeof said - 1, 0) > 0);
    expect_text(said, "[label] GPU Memory: delta=+0.0MB, current=0.0MB, peak=0.0MB\n");
}

alone(the_line_can_be_had_as_text) {
    char text[16];
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .source = &HEAP, .quiet = 1);
    within (&memory) continue;
    expect_count(wi_gpu_memory_format(&memory, NULL, 0), 55);
    expect_count(wi_gpu_memory_format(&memory, text, sizeof text), 55);
    expect_text(text, "[a] GPU Memory:");
}

/* ---- figures ---- */

alone(an_inner_block_does_not_hide_the_outers_peak) {
    wi_gpu_memory outer = wi_gpu_memory(0, "outer", .quiet = 1), inner = outer;
    use_pool();
    uint64_t kept = take(MIB2);
    within (&outer) {
        give(take(8 * MIB2));
        within (&inner) give(take(3 * MIB2));
        expect_near(inner.peak, 4.0 * (double)MIB2, 0);
        within (&inner) continue;
        expect_near(inner.peak, MIB2, 0);
    }
    expect_near(outer.peak, 9.0 * (double)MIB2, 0);
    expect_near(outer.delta, 0, 0);
    expect_near(outer.current, MIB2, 0);
    expect_text(outer.source->name, "CUDA memory pool");
    give(kept);
}

alone(the_outer_block_sees_what_an_inner_one_took) {
    wi_gpu_memory outer = wi_gpu_memory(0, "outer", .quiet = 1), inner = outer;
    use_pool();
    uint64_t kept = 0;
    within (&outer) {
        within (&inner) {
            give(take(5 * MIB2));
            kept = take(2 * MIB2);
        }
    }
    expect_near(inner.delta, 2.0 * (double)MIB2, 0);
    expect_near(outer.delta, 2.0 * (double)MIB2, 0);
    expect_near(outer.peak, 5.0 * (double)MIB2, 0);
    give(kept);
}

/* What a block's figures must be, from all that was in use at all times. */
static void expect_replayed(const wi_gpu_memory *memory, const double *in_use, int begin, int end) {
    double peak = 0;
    for (int t = begin; t <= end; t++) peak = fmax(peak, in_use[t]);
    expect_near(memory->peak, peak, 0);
    expect_near(memory->current, in_use[end], 0);
    expect_near(memory->delta, in_use[end] - in_use[begin], 0);
}

typedef struct piece {
    uint64_t address;
    size_t bytes;
} piece;

/* Taken if it is not there, given back if it is. @return the change in bytes. */
static double toggle(piece *p, wi_rng *rng) {
    double bytes = (double)p->bytes;
    if (p->address) {
        give(p->address);
        p->address = 0;
        return -bytes;
    }
    p->bytes = (size_t)wi_rng_integer(rng, 1, 5) * MIB2;
    p->address = take(p->bytes);
    return (double)p->bytes;
}

alone(ten_thousand_overlapping_blocks_are_as_a_replay_has_them) {
    enum { BLOCKS = 10000, OPEN_AT_ONCE = 12, PIECES = 40, EVENTS = 20 * BLOCKS };
    static double in_use[EVENTS];
    wi_gpu_memory memories[OPEN_AT_ONCE];
    int begins[OPEN_AT_ONCE], is_open[OPEN_AT_ONCE] = {0}, ended = 0, now = 0;
    piece pieces[PIECES] = {{0, 0}};
    wi_rng rng = wi_rng_pcg64(16266);
    use_pool();
    while (ended < BLOCKS) {
        int64_t i = wi_rng_integer(&rng, 0, PIECES + OPEN_AT_ONCE), block = i - PIECES;
        if (block < 0) {
            expect(++now < EVENTS);
            in_use[now] = in_use[now - 1] + toggle(&pieces[i], &rng);
        } else if (is_open[block]) {
            leave(&memories[block]);
            expect_replayed(&memories[block], in_use, begins[block], now);
            is_open[block] = 0;
            ended++;
        } else {
            memories[block] = wi_gpu_memory(0, "block", .quiet = 1);
            enter(&memories[block]);
            begins[block] = now;
            is_open[block] = 1;
        }
    }
    for (int i = 0; i < PIECES; i++)
        if (pieces[i].address) give(pieces[i].address);
}

/* Each in a block of its own within the others', whose peak is at least what the thread took. */
static void *track_in_thread(void *arg) {
    use_gpu();
    for (int i = 0; i < 200; i++) {
        wi_gpu_memory memory = wi_gpu_memory(0, "thread", .quiet = 1);
        uint64_t taken;
        within (&memory) taken = take(2 * MIB2); /* kept to the end: no moment to be missed */
        give(taken);
        expect(memory.peak >= 2.0 * (double)MIB2 && memory.peak <= 8.0 * (double)MIB2);
    }
    return arg;
}

alone(threads_track_at_the_same_time) {
    pthread_t threads[4];
    wi_gpu_memory memory = wi_gpu_memory(0, "all", .quiet = 1);
    use_pool();
    within (&memory) {
        for (int i = 0; i < 4; i++) threads[i] = start(track_in_thread, NULL);
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    expect(memory.peak >= 2.0 * (double)MIB2 && memory.peak <= 8.0 * (double)MIB2);
    expect_near(memory.delta, 0, 0);
}

alone(a_peak_that_is_never_reset_counts_if_it_is_new) {
    wi_gpu_memory memory = wi_gpu_memory(0, "jax", .source = &HEAP_WITHOUT_RESET, .quiet = 1);
    heap_set(100);
    heap_set(10);
    within (&memory) {
        heap_set(90);
        heap_set(20);
    }
    expect(isnan(memory.peak)); /* 90, but nobody can tell */
    expect_near(memory.delta, 10, 0);
    within (&memory) {
        heap_set(150);
        heap_set(20);
    }
    expect_near(memory.peak, 150, 0);
    heap_set(150);
    within (&memory) heap_set(0);
    expect_near(memory.peak, 150, 0);
    expect_count(heap.resets, 0);
}

static void fail_inside(void *memory) {
    within ((wi_gpu_memory *)memory) {
        heap_set(7e6);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(an_error_passes_and_the_figures_are_taken) {
    wi_error *error;
    wi_gpu_memory memory = wi_gpu_memory(0, "solve", .source = &HEAP, .quiet = 1);
    wi_call(fail_inside, &memory, &error);
    expect(error != NULL);
    expect_text(wi_error_message(error), "diverged");
    expect_text(wi_error_trail(error, 0)->manager, "GPU memory");
    expect_text(wi_error_trail(error, 0)->what, "solve");
    wi_error_free(error);
    expect_near(memory.peak, 7e6, 0);
}

/* ---- the whole device ---- */

on_the_stand_in(without_a_pool_in_use_it_is_the_whole_device) {
    uint64_t address = 0;
    FILE *stream = printing();
    use_gpu();
    driver.others_use(0, (size_t)3e6);
    within (memory, wi_gpu_memory(0, "a", .stream = stream)) {
        succeed(driver.cuMemAlloc_v2(&address, (size_t)2e6));
        expect_text(memory->source->name, "cuMemGetInfo");
    }
    expect_printed(stream,
                   "[a] GPU Memory: delta=+2.0MB, current=5.0MB, peak=unknown (device-wide)\n");
    succeed(driver.cuMemFree_v2(address));
}

static void *track_whole_device(void *memory) {
    void *context = NULL;
    within ((wi_gpu_memory *)memory) continue;
    succeed(driver.cuCtxGetCurrent(&context));
    expect(context == NULL);
    return memory;
}

alone(a_thread_without_a_context_borrows_the_primary_one) {
    wi_gpu_memory memory = wi_gpu_memory(0, "thread", .quiet = 1);
    unsigned flags;
    int is_active = 1;
    use_gpu();
    in_thread(track_whole_device, &memory);
    expect(memory.source && memory.current >= 0 && isnan(memory.peak));
    succeed(driver.cuDevicePrimaryCtxRelease_v2(0));
    succeed(driver.cuDevicePrimaryCtxGetState(0, &flags, &is_active));
    expect(!is_active);
}

/* ---- when there is nothing to track with ---- */

alone(without_a_driver_the_block_runs_and_one_line_says_why) {
    FILE *stream = printing();
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .stream = stream);
    int ran = 0;
    within (&memory) ran = 1;
    expect(ran);
    expect_untracked(&memory, "the process has no CUDA driver loaded");
    expect_printed(stream, "[a] GPU Memory: not tracked: the process has no CUDA driver loaded\n");
    expect(dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD) == NULL);
}

alone(cuda_is_never_initialised) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .quiet = 1);
    load_driver();
    within (&memory) continue;
    expect_untracked(&memory, "the process has not initialised CUDA");
    within (&memory) continue;
    expect_untracked(&memory, "the process has not initialised CUDA");
    if (driver.calls) expect_count(driver.calls("cuInit"), 0);
}

alone(no_context_is_ever_made) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .quiet = 1);
    load_driver();
    succeed(driver.cuInit(0));
    within (&memory) continue;
    expect_untracked(&memory, "the process has no CUDA context on GPU 0");
    if (driver.calls) expect_count(driver.calls("cuDevicePrimaryCtxRetain"), 0);
}

on_the_stand_in(a_gpu_that_is_not_there_is_not_tracked) {
    wi_gpu_memory memory = wi_gpu_memory(2, "a", .quiet = 1);
    use_gpu();
    within (&memory) continue;
    expect_untracked(&memory, "there is no GPU 2; CUDA sees 2");
    memory.device = 1;
    within (&memory) continue;
    expect_untracked(&memory, "the process has no CUDA context on GPU 1");
}

/* ---- CUDA comes into use inside the block ---- */

alone(a_pool_that_is_first_used_inside_the_block_began_with_nothing) {
    wi_gpu_memory outer = wi_gpu_memory(0, "outer", .quiet = 1), inner = outer;
    uint64_t kept = 0;
    within (&outer) {
        use_pool();
        give(take(9 * MIB2));
        within (&inner) kept = take(MIB2);
        give(take(MIB2));
    }
    expect_near(inner.delta, MIB2, 0);
    expect_near(inner.peak, MIB2, 0);
    expect_near(outer.delta, MIB2, 0);
    expect_near(outer.peak, 9.0 * (double)MIB2, 0);
    give(kept);
}

alone(the_same_without_another_block) {
    wi_gpu_memory memory = wi_gpu_memory(0, "first", .quiet = 1);
    within (&memory) {
        use_pool();
        give(take(3 * MIB2));
    }
    expect_near(memory.delta, 0, 0);
    expect_near(memory.peak, 3.0 * (double)MIB2, 0);
}

alone(what_the_whole_device_had_before_nobody_knows) {
    wi_gpu_memory memory = wi_gpu_memory(0, "first", .quiet = 1);
    within (&memory) use_gpu();
    expect_untracked(&memory, "CUDA came into use inside the block");
}

/* ---- a driver that fails half-way ---- */

on_the_stand_in(a_driver_that_fails_at_the_begin_stops_nothing) {
    FILE *stream = printing();
    use_pool();
    driver.let_fail("cuMemPoolGetAttribute", LAUNCH_FAILED, 1);
    within (memory, wi_gpu_memory(0, "a", .stream = stream)) {
        expect(memory->source == NULL);
        driver.let_fail("cuMemPoolGetAttribute", 0, 0);
    }
    expect_printed(
        stream, "[a] GPU Memory: not tracked: cuMemPoolGetAttribute: CUDA_ERROR_LAUNCH_FAILED\n");
}

on_the_stand_in(a_driver_that_fails_at_the_end_leaves_no_figures) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .quiet = 1);
    use_pool();
    within (&memory) driver.let_fail("cuMemPoolGetAttribute", LAUNCH_FAILED, 0);
    expect_untracked(&memory, "cuMemPoolGetAttribute: CUDA_ERROR_LAUNCH_FAILED");
    driver.let_fail("cuMemPoolGetAttribute", 0, 0);
    within (&memory) driver.let_fail("cuDeviceGetMemPool", 12345, 0);
    expect_untracked(&memory, "cuDeviceGetMemPool of GPU 0: error 12345 of the CUDA driver");
}

on_the_stand_in(a_driver_that_cannot_count_devices_says_so) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .quiet = 1);
    use_pool();
    driver.let_fail("cuDeviceGetCount", LAUNCH_FAILED, 0);
    within (&memory) continue;
    expect_untracked(&memory, "cuDeviceGetCount: CUDA_ERROR_LAUNCH_FAILED");
}

on_the_stand_in(without_memory_pools_it_is_the_whole_device) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .quiet = 1);
    use_pool();
    driver.let_fail("cuDeviceGetMemPool", 801, 0); /* CUDA_ERROR_NOT_SUPPORTED */
    within (&memory) continue;
    expect_text(memory.source->name, "cuMemGetInfo");
}

on_the_stand_in(a_peak_that_cannot_be_reset_is_not_taken_for_the_blocks) {
    wi_gpu_memory outer = wi_gpu_memory(0, "outer", .quiet = 1), inner = outer;
    use_pool();
    within (&outer) {
        give(take(8 * MIB2));
        driver.let_fail("cuMemPoolSetAttribute", LAUNCH_FAILED, 0);
        within (&inner) give(take(MIB2));
        expect_untracked(&inner, "cuMemPoolSetAttribute: CUDA_ERROR_LAUNCH_FAILED");
        driver.let_fail("cuMemPoolSetAttribute", 0, 0);
        within (&inner) give(take(MIB2));
        expect_near(inner.peak, MIB2, 0);
    }
    expect_near(outer.peak, 8.0 * (double)MIB2, 0);
}

alone(an_inner_block_that_fails_does_not_harm_the_outer_one) {
    wi_gpu_memory outer = wi_gpu_memory(0, "outer", .source = &HEAP, .quiet = 1), inner = outer;
    heap_set(1);
    within (&outer) {
        heap_set(9);
        heap.fails = 1;
        within (&inner) continue;
        heap.fails = 0;
        heap_set(3);
    }
    expect_untracked(&inner, "the heap is gone");
    expect_near(outer.peak, 9, 0);
    expect_near(outer.delta, 2, 0);
}

/* ---- misuse, forks ---- */

static void enter_arg(void *memory) { enter(memory); }

static void expect_refused(wi_gpu_memory *memory, const char *kind, const char *message) {
    wi_error *error;
    wi_call(enter_arg, memory, &error);
    expect(error != NULL);
    expect_text(wi_error_kind(error)->name, kind);
    expect_text(wi_error_message(error), message);
    wi_error_free(error);
}

alone(a_negative_device_is_refused) {
    wi_gpu_memory memory = wi_gpu_memory(-1, "a", .quiet = 1);
    expect_refused(&memory, "WI_VALUE_ERROR", "wi_gpu_memory a: there is no GPU -1");
}

alone(a_block_that_runs_cannot_be_entered) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .source = &HEAP, .quiet = 1);
    within (&memory) {
        heap_set(5);
        expect_refused(&memory, "WI_USAGE_ERROR",
                       "wi_gpu_memory a: it is running already; use one a block");
    }
    expect_near(memory.delta, 5, 0);
}

alone(it_can_be_used_again_after_its_block) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .source = &HEAP, .quiet = 1);
    within (&memory) heap_set(5);
    within (&memory) expect(isnan(memory.delta) && isnan(memory.peak));
    expect_near(memory.delta, 0, 0);
    expect_near(memory.peak, 5, 0);
}

alone(a_child_forked_inside_the_block_leaves_the_gpu_alone) {
    wi_gpu_memory memory = wi_gpu_memory(0, "a", .quiet = 1), own = memory;
    int status = -1;
    use_pool();
    within (&memory) {
        pid_t child = fork();
        if (child == 0) {
            leave(&memory);
            expect_untracked(&memory, "this process was forked inside the block");
            if (driver.calls) {
                within (&own) continue;
                expect_untracked(&own, "the process has not initialised CUDA");
            }
            _exit(0);
        }
        expect(waitpid(child, &status, 0) == child && status == 0);
        give(take(MIB2));
    }
    expect_near(memory.peak, MIB2, 0);
}

static void *hold_the_lock(void *arg) {
    within (wi_gpu_memory(0, "slow", .quiet = 1, .source = arg)) continue;
    return NULL;
}

static int reading_pipe[2];

static void read_slowly(void *of, wi_gpu_figures *figures) {
    (void)of;
    figures->current = figures->peak = 0;
    expect(write(reading_pipe[1], "r", 1) == 1);
    spend_ms(100);
}

alone(a_child_does_not_wait_for_its_parents_threads) {
    static const wi_gpu_source slow = {"slow", NULL, 1, NULL, read_slowly, NULL};
    char byte;
    int status = -1;
    expect(pipe(reading_pipe) == 0);
    pthread_t thread = start(hold_the_lock, (void *)&slow);
    expect(read(reading_pipe[0], &byte, 1) == 1);
    pid_t child = fork(); /* the thread has the lock */
    if (child == 0) {
        within (wi_gpu_memory(0, "a", .source = &HEAP, .quiet = 1)) continue;
        _exit(0);
    }
    expect(waitpid(child, &status, 0) == child && status == 0);
    pthread_join(thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_line_has_megabytes_with_one_decimal),
        test(without_a_label_there_is_no_prefix),
        test(it_prints_on_stderr_by_default),
        test(the_line_can_be_had_as_text),
        test(an_inner_block_does_not_hide_the_outers_peak),
        test(the_outer_block_sees_what_an_inner_one_took),
        test(ten_thousand_overlapping_blocks_are_as_a_replay_has_them),
        test(threads_track_at_the_same_time),
        test(a_peak_that_is_never_reset_counts_if_it_is_new),
        test(an_error_passes_and_the_figures_are_taken),
        test(without_a_pool_in_use_it_is_the_whole_device),
        test(a_thread_without_a_context_borrows_the_primary_one),
        test(without_a_driver_the_block_runs_and_one_line_says_why),
        test(cuda_is_never_initialised),
        test(no_context_is_ever_made),
        test(a_gpu_that_is_not_there_is_not_tracked),
        test(a_pool_that_is_first_used_inside_the_block_began_with_nothing),
        test(the_same_without_another_block),
        test(what_the_whole_device_had_before_nobody_knows),
        test(a_driver_that_fails_at_the_begin_stops_nothing),
        test(a_driver_that_fails_at_the_end_leaves_no_figures),
        test(a_driver_that_cannot_count_devices_says_so),
        test(without_memory_pools_it_is_the_whole_device),
        test(a_peak_that_cannot_be_reset_is_not_taken_for_the_blocks),
        test(an_inner_block_that_fails_does_not_harm_the_outer_one),
        test(a_negative_device_is_refused),
        test(a_block_that_runs_cannot_be_entered),
        test(it_can_be_used_again_after_its_block),
        test(a_child_forked_inside_the_block_leaves_the_gpu_alone),
        test(a_child_does_not_wait_for_its_parents_threads),
    };
    return cmocka_run_group_tests_name("gpu_memory", tests, NULL, NULL);
}
