/* What a run notes of its surroundings: GPUs, by a driver that the program has initialised itself, and git. */
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

/* ---- git: a program of this name that says it was called ---- */

static void put_git_on_the_path(void) {
    char here[300], path[600];
    expect(getcwd(here, sizeof here) && mkdir("bin", 0755) == 0 && mkdir("work", 0755) == 0);
    FILE *git = fopen("bin/git", "w");
    fputs("#!/bin/sh\necho called >> called\necho '# branch.oid 0123456789abcdef'\n", git);
    fclose(git);
    expect(chmod("bin/git", 0755) == 0);
    snprintf(path, sizeof path, "%s/bin:%s", here, getenv("PATH"));
    setenv("PATH", path, 1);
    unsetenv("GIT_DIR");
}

static const char *commit_of_a_run(void) {
    char *here = getcwd(NULL, 0);
    expect(chdir("work") == 0);
    within (wi_run("lorenz")) continue;
    expect(chdir(here) == 0);
    free(here);
    const char *commit =
        text_in("work/runs.db", "SELECT value FROM environment WHERE key = 'git.commit'");
    expect(unlink("work/runs.db") == 0);
    return commit;
}

alone(git_is_asked_in_a_repository_alone) {
    put_git_on_the_path();
    expect_text(commit_of_a_run(), "no row");
    expect(!exists("work/called"));
    expect(mkdir(".git", 0755) == 0);
    expect_text(commit_of_a_run(), "0123456789abcdef");
    expect(exists("work/called"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(gpus_that_were_in_use_before_it_are_noted_once),
        test(gpus_that_are_first_used_inside_of_it_are_noted),
        test(a_driver_that_is_not_initialised_stays_so),
        test(a_gpu_that_does_not_answer_is_left_out),
        test(a_program_without_a_driver_has_none),
        test(git_is_asked_in_a_repository_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
