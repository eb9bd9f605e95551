/* The GPUs of a run: told by the driver that the program has loaded and initialised, and by no other. */
#include "gpu_helpers.h"
#include "run_helpers.h"

static void expect_gpus(const char *wanted) {
    expect_text(text_of("SELECT group_concat(key || '=' || value, '; ') FROM (SELECT * FROM"
                        " environment WHERE key LIKE 'gpu%' ORDER BY key)"),
                wanted);
}

#define BOTH "gpu.0=Stand-in 0, 80.0 GiB; gpu.1=Stand-in 1, 80.0 GiB"

on_the_stand_in(gpus_that_were_in_use_before_it_are_noted_once) {
    use_gpu();
    within (wi_run("lorenz")) continue;
    expect_gpus(BOTH);
    expect(driver.calls("cuDeviceGetName") == 2);
}

on_the_stand_in(gpus_that_are_first_used_inside_of_it_are_noted) {
    within (wi_run("lorenz")) use_gpu();
    expect_gpus(BOTH);
}

on_the_stand_in(a_driver_that_is_not_initialised_stays_so) {
    load_driver();
    within (wi_run("lorenz")) continue;
    expect_gpus("NULL");
    expect_count(driver.calls("cuInit"), 0);
}

on_the_stand_in(a_gpu_that_does_not_answer_is_left_out) {
    use_gpu();
    driver.let_fail("cuDeviceTotalMem_v2", OUT_OF_MEMORY, 0);
    within (wi_run("lorenz")) continue;
    expect_status("lorenz", "FINISHED");
    expect_gpus("NULL");
}

alone(a_program_without_a_driver_has_none) {
    within (wi_run("lorenz")) continue;
    expect_gpus("NULL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(gpus_that_were_in_use_before_it_are_noted_once),
        test(gpus_that_are_first_used_inside_of_it_are_noted),
        test(a_driver_that_is_not_initialised_stays_so),
        test(a_gpu_that_does_not_answer_is_left_out),
        test(a_program_without_a_driver_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
