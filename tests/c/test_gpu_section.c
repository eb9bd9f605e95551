/* wi_gpu_section: times on the GPU that are read later, its memory, and what the report says of them. */
#include "gpu_helpers.h"
#include "record_helpers.h"

static wi__gpu_counts counts_in(const char *path) {
    wi__profile profile = own_profile();
    wi__gpu_counts counts = path_named(&profile, path)->gpu;
    expect_count(profile.damaged, 0);
    wi__profile_release(&profile);
    return counts;
}

static wi__figures figures_in(const char *path) {
    wi__profile profile = own_profile();
    wi__figures figures = wi__path_figures(&profile, find_path(&profile, path));
    wi__profile_release(&profile);
    return figures;
}

static void compute(double ms) {
    driver.launch(ms);
    driver.run(ms);
}

/* A section that has the GPU compute for so long, and is over before it is done. */
static void forward(double ms) {
    within (wi_gpu_section("forward")) driver.launch(ms);
}

/* ---- time ---- */

on_the_stand_in(the_time_is_that_on_the_gpu) {
    use_gpu();
    driver.launch(100); /* what was asked of it before is not the section's */
    forward(8);
    driver.run(1000);
    expect_near(figures_in("forward").gpu_s, 0.008, 1e-6);
    expect(figures_in("forward").total_s < 0.008);
}

on_the_stand_in(times_are_read_when_they_are_known_and_nobody_waits) {
    use_gpu();
    for (int i = 0; i < 3; i++) forward(10);
    wi__gpu_counts counts = counts_in("forward");
    expect_count(counts.calls, 3);
    expect_count(counts.timed, 0);
    expect(isnan(figures_in("forward").gpu_s));
    driver.run(25);
    expect_count(counts_in("forward").timed, 2);
    driver.run(5);
    counts = counts_in("forward");
    expect_count(counts.timed, 3);
    expect_count(counts.time_ns, 30000000);
    expect_count(driver.calls("cuCtxSynchronize"), 0);
}

on_the_stand_in(sections_nest) {
    use_gpu();
    within (wi_gpu_section("step")) {
        forward(3);
        within (wi_section("host")) forward(4);
        compute(5);
    }
    driver.run(100);
    expect_near(figures_in("step").gpu_s, 0.012, 1e-6);
    expect_near(figures_in("step > forward").gpu_s, 0.003, 1e-6);
    expect_near(figures_in("step > host > forward").gpu_s, 0.004, 1e-6);
    expect(isnan(figures_in("step > host").gpu_s));
}

on_the_stand_in(events_are_used_again) {
    use_gpu();
    for (int i = 0; i < 1000; i++) {
        forward(1);
        driver.run(1);
    }
    expect_count(counts_in("forward").timed, 1000);
    expect(driver.calls("cuEventCreate") <= 4);
}

on_the_stand_in(not_more_than_some_thousand_times_are_waited_for) {
    use_gpu();
    for (int i = 0; i < 5000; i++) forward(1);
    driver.run(1e6);
    for (int i = 0; i < 400; i++) counts_in("forward");
    expect_count(counts_in("forward").timed, 4096);
    expect_count(counts_in("forward").calls, 5000);
    forward(1);
    driver.run(1);
    expect_count(counts_in("forward").timed, 4097);
}

static void *forward_in_thread(void *arg) {
    use_gpu();
    for (int i = 0; i < 100; i++) forward(1);
    return arg;
}

on_the_stand_in(threads_are_added_up) {
    pthread_t threads[3];
    use_gpu();
    for (int i = 0; i < 3; i++) threads[i] = start(forward_in_thread, NULL);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    driver.run(1000);
    for (int i = 0; i < 40; i++) counts_in("forward");
    expect_count(counts_in("forward").timed, 300);
    expect_count(counts_in("forward").calls, 300);
}

static void fail_inside(void *arg) {
    (void)arg;
    within (wi_gpu_section("forward")) {
        driver.launch(2);
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

on_the_stand_in(an_error_passes_and_the_time_counts) {
    wi_error *error;
    use_gpu();
    wi_call(fail_inside, NULL, &error);
    expect_text(wi_error_message(error), "diverged");
    expect_text(wi_error_trail(error, 0)->manager, "GPU section");
    expect_text(wi_error_trail(error, 0)->what, "forward");
    wi_error_free(error);
    driver.run(2);
    expect_near(figures_in("forward").gpu_s, 0.002, 1e-6);
}

/* ---- memory ---- */

alone(memory_is_that_of_all_calls) {
    const size_t bytes = 2 << 20;
    uint64_t kept[3];
    use_pool();
    for (int i = 0; i < 3; i++) {
        within (wi_gpu_section("forward")) {
            kept[i] = take(bytes);
            give(take(bytes * (size_t)(3 - i)));
        }
    }
    wi__figures figures = figures_in("forward");
    expect_near(figures.gpu_delta, 3.0 * (double)bytes, 0);
    expect_near(figures.gpu_peak, 4.0 * (double)bytes, 0);
    expect_count(counts_in("forward").tracked, 3);
    for (int i = 0; i < 3; i++) give(kept[i]);
}

alone(a_real_time_is_plausible) {
    uint64_t kept;
    use_pool();
    within (wi_gpu_section("forward")) kept = take(2 << 20);
    give(kept);
    expect_count(counts_in("forward").timed, 1);
    expect(figures_in("forward").gpu_s >= 0 && figures_in("forward").gpu_s < 60);
}

/* ---- without ---- */

alone(without_a_gpu_it_is_a_section) {
    within (wi_gpu_section("forward")) measure("inner");
    load_driver();
    within (wi_gpu_section("forward")) measure("inner");
    succeed(driver.cuInit(0));
    within (wi_gpu_section("forward")) measure("inner");
    wi__profile profile = own_profile();
    expect_text(paths_of(&profile), "forward, forward > inner");
    expect_count(calls_of(&profile, "forward"), 3);
    wi__profile_release(&profile);
    expect_count(counts_in("forward").calls, 0);
}

on_the_stand_in(while_a_graph_is_captured_nothing_is_measured_and_that_is_counted) {
    use_pool();
    forward(1);
    driver.capture(1);
    forward(1);
    expect_count(driver.disturbances(), 0);
    driver.capture(0);
    within (wi_gpu_section("forward")) driver.capture(1);
    expect_count(driver.disturbances(), 0);
    driver.capture(0);
    driver.run(10);
    wi__gpu_counts counts = counts_in("forward");
    expect_count(counts.calls, 3);
    expect_count(counts.captured, 2);
    expect_count(counts.timed, 1);
    expect_count(counts.tracked, 2);
}

on_the_stand_in(a_driver_that_fails_costs_times_and_nothing_else) {
    static const char *const functions[] = {"cuEventCreate", "cuEventRecord", "cuEventElapsedTime",
                                            "cuEventQuery", "cuThreadExchangeStreamCaptureMode"};
    use_gpu();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        driver.let_fail(functions[i], 719, 0);
        forward(1);
        driver.run(1);
        counts_in("forward");
        driver.let_fail(functions[i], 0, 0);
    }
    forward(1);
    driver.run(1);
    expect_count(counts_in("forward").calls, 6);
    expect_count(counts_in("forward").timed, 2); /* the last one waited */
}

on_the_stand_in(events_end_with_their_context) {
    void *context;
    load_driver();
    succeed(driver.cuInit(0));
    within (wi_cuda_context(0)) {
        forward(2);
        driver.run(2);
        forward(2);
    }
    within (wi_cuda_context(0)) {
        driver.run(2);
        forward(2);
        driver.run(2);
    }
    succeed(driver.cuCtxGetCurrent(&context));
    expect(context == NULL);
    expect_count(driver.calls("cuEventDestroy_v2"), driver.calls("cuEventCreate"));
    expect_count(counts_in("forward").calls, 3);
    expect_count(counts_in("forward").timed, 2);
}

on_the_stand_in(a_context_that_is_not_current_keeps_its_times) {
    void *context;
    use_gpu();
    succeed(driver.cuCtxGetCurrent(&context));
    forward(2);
    driver.run(2);
    succeed(driver.cuCtxSetCurrent(NULL));
    expect_count(counts_in("forward").timed, 0);
    succeed(driver.cuCtxSetCurrent(context));
    expect_count(counts_in("forward").timed, 1);
}

/* ---- processes ---- */

alone(a_child_counts_its_own) {
    int status = -1;
    use_pool();
    within (wi_gpu_section("before")) continue;
    wi_gpu_section section = wi_gpu_section("open");
    within (&section) {
        pid_t child = fork();
        if (child == 0) {
            section.protocol->exit(&section, WI_END, NULL);
            expect_count(counts_in("before").calls, 0);
            expect_count(counts_in("open").calls, 0);
            within (wi_gpu_section("own")) continue;
            expect_count(counts_in("own").calls, 0);
            _exit(0);
        }
        expect(waitpid(child, &status, 0) == child && status == 0);
    }
    expect_count(counts_in("before").calls, 1);
    expect_count(counts_in("open").calls, 1);
}

static void print_report(void) {
    use_gpu();
    forward(8);
    driver.run(8);
    driver.capture(1);
    forward(8);
    driver.capture(0);
    forward(8);
    wi_record_open("record.within");
    wi_report(stdout);
}

on_the_stand_in(the_record_has_them_in_its_file) {
    expect_count(status_of(print_report), 0);
    wi__profile profile = profile_in("record.within");
    const wi__path *path = path_named(&profile, "forward");
    expect_count(path->gpu.calls, 3);
    expect_count(path->gpu.timed, 1);
    expect_count(path->gpu.captured, 1);
    expect_count(path->gpu.time_ns, 8000000);
    wi__profile_release(&profile);
}

/* ---- damage ---- */

/* Change the counts of the only path in the record that has some. */
static void damage(void (*change)(wi__gpu_counts *counts, uint32_t cell)) {
    static char bytes[1 << 20];
    int file = open("record.within", O_RDWR);
    expect(file >= 0 && read(file, bytes, sizeof bytes) > 0);
    const wi__header *header = (const wi__header *)bytes;
    size_t at = (size_t)header->first_region * WI__CELL_BYTES;
    uint32_t cell = ((const wi__region *)(bytes + at))->gpu;
    expect(cell != 0);
    change((wi__gpu_counts *)(bytes + (size_t)cell * WI__CELL_BYTES), cell);
    expect(pwrite(file, bytes + (size_t)cell * WI__CELL_BYTES, WI__CELL_BYTES,
                  (off_t)cell * WI__CELL_BYTES) == WI__CELL_BYTES);
    close(file);
}

static void lead_back(wi__gpu_counts *counts, uint32_t cell) { counts->next = cell; }
static void lead_out(wi__gpu_counts *counts, uint32_t cell) { counts->next = cell + (1u << 30); }
static void be_of_nobody(wi__gpu_counts *counts, uint32_t cell) { counts->node = cell; }

static void expect_damaged(void (*change)(wi__gpu_counts *counts, uint32_t cell), uint64_t calls) {
    expect_count(status_of(print_report), 0);
    damage(change);
    wi__profile profile = profile_in("record.within");
    expect_count(profile.damaged, 1);
    expect_count(path_named(&profile, "forward")->gpu.calls, calls);
    wi__profile_release(&profile);
    remove("record.within");
}

on_the_stand_in(damaged_counts_are_left_out_and_counted) {
    expect_damaged(lead_back, 3);
    expect_damaged(lead_out, 3);
    expect_damaged(be_of_nobody, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_time_is_that_on_the_gpu),
        test(times_are_read_when_they_are_known_and_nobody_waits),
        test(sections_nest),
        test(events_are_used_again),
        test(not_more_than_some_thousand_times_are_waited_for),
        test(threads_are_added_up),
        test(an_error_passes_and_the_time_counts),
        test(memory_is_that_of_all_calls),
        test(a_real_time_is_plausible),
        test(without_a_gpu_it_is_a_section),
        test(while_a_graph_is_captured_nothing_is_measured_and_that_is_counted),
        test(a_driver_that_fails_costs_times_and_nothing_else),
        test(events_end_with_their_context),
        test(a_context_that_is_not_current_keeps_its_times),
        test(a_child_counts_its_own),
        test(the_record_has_them_in_its_file),
        test(damaged_counts_are_left_out_and_counted),
    };
    return cmocka_run_group_tests_name("gpu_section", tests, NULL, NULL);
}
