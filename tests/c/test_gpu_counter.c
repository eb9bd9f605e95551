/* The leak watch's counter of GPU memory: what it counts, when there is nothing to count, and how seldom it is read. */
#include "gpu_helpers.h"
#include "manage/watching.h"
#include "record_helpers.h"

enum { LAUNCH_FAILED = 719 };
static const size_t MIB2 = 2 << 20; /* real pools hand out no less */

static int64_t level(void) {
    for (int i = 0; i < WI__COUNTERS; i++)
        if (wi__counter_at(i) == &wi__gpu_counter) return wi__counters_read(WI__ALL_COUNTERS).of[i];
    return -1;
}

/* ---- what it counts ---- */

alone(the_pool_of_the_program_is_counted) {
    use_pool();
    int64_t before = level();
    uint64_t kept = take(3 * MIB2);
    expect_count(level() - before, 3 * MIB2);
    give(kept);
    expect_count(level(), before);
}

on_the_stand_in(without_a_pool_it_is_the_device) {
    uint64_t address;
    use_gpu();
    driver.others_use(0, 5000);
    expect_count(level(), 5000);
    succeed(driver.cuMemAlloc_v2(&address, 700));
    expect_count(level(), 5700);
}

on_the_stand_in(gpus_in_use_are_added_up) {
    void *context;
    use_pool();
    int64_t first = level();
    driver.others_use(1, 300);
    expect_count(level(), first);
    succeed(driver.cuDevicePrimaryCtxRetain(&context, 1));
    expect_count(level(), first + 300);
    expect_count(wi__gpu_counter.limit(), 2 * ((int64_t)80 << 30));
}

alone(the_limit_is_what_the_gpu_has) {
    expect(wi__gpu_counter.limit() == WI__ABSENT);
    use_gpu();
    expect(wi__gpu_counter.limit() > 1 << 28 && wi__gpu_counter.limit() >= level());
}

/* ---- when there is nothing to count ---- */

alone(it_is_absent_until_the_program_uses_a_gpu) {
    expect(level() == WI__ABSENT);
    load_driver();
    expect(level() == WI__ABSENT && wi__gpu_counter.limit() == WI__ABSENT);
    succeed(driver.cuInit(0));
    expect(level() == WI__ABSENT && wi__gpu_counter.limit() == WI__ABSENT);
    use_gpu();
    expect(level() >= 0);
}

on_the_stand_in(it_never_initialises_cuda) {
    load_driver();
    level();
    expect_count(driver.calls("cuInit"), 0);
    expect_count(driver.calls("cuDevicePrimaryCtxRetain"), 0);
}

on_the_stand_in(a_driver_that_fails_makes_it_absent_and_it_comes_back) {
    static const char *const functions[] = {"cuDeviceGetCount", "cuDeviceGetMemPool",
                                            "cuMemPoolGetAttribute"};
    use_pool();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        int64_t before = level();
        driver.let_fail(functions[i], LAUNCH_FAILED, 0);
        expect(level() == WI__ABSENT);
        driver.let_fail(functions[i], 0, 0);
        expect_count(level(), before);
    }
    driver.let_fail("cuDeviceTotalMem_v2", LAUNCH_FAILED, 0);
    expect(wi__gpu_counter.limit() == WI__ABSENT);
}

alone(in_a_child_it_is_absent) {
    int status = -1;
    use_pool();
    expect(level() >= 0);
    pid_t child = fork();
    if (child == 0) _exit(level() != WI__ABSENT);
    expect(waitpid(child, &status, 0) == child && status == 0);
    expect(level() >= 0);
}

on_the_stand_in(captures_of_graphs_are_not_disturbed) {
    use_gpu();
    driver.capture(1);
    level();
    expect_count(driver.calls("cuThreadExchangeStreamCaptureMode"), 2); /* and back */
    expect_count(driver.disturbances(), 0);
}

/* ---- what the watch makes of it ---- */

alone(memory_that_is_kept_is_told_of_its_section) {
    static uint64_t kept[16384];
    int calls = 0;
    wi_watch watch = wi_watch(.quiet = 1);
    use_pool();
    within (&watch) {
        while (calls < 16384 && !watch.leak_count) {
            within (wi_section("epoch")) {
                within (wi_section("load")) usleep(1000);
                within (wi_section("step")) kept[calls++] = take(MIB2);
            }
        }
    }
    expect_count(watch.leak_count, 1);
    expect_text(watch.leaks[0].section, "epoch > step");
    expect_text(watch.leaks[0].what, "GPU memory");
    expect_near(watch.leaks[0].per_call, MIB2, 1);
    expect(watch.leaks[0].is_suspicion && watch.leaks[0].seconds_left > 0);
    expect_that(strncmp(watch.leaks[0].text, "+2.1 MB a call of GPU memory since call ", 40) == 0 &&
                    strstr(watch.leaks[0].text, " GB reached in about ") != NULL,
                WHERE, "said: %s", watch.leaks[0].text);
    while (calls) give(kept[--calls]);
}

alone(memory_that_is_given_back_is_not_told) {
    wi_watch watch = wi_watch(.quiet = 1);
    use_pool();
    within (&watch) {
        for (int i = 0; i < 500; i++)
            within (wi_section("epoch")) give(take(MIB2));
    }
    expect_count(watch.leak_count, 0);
}

alone(sections_on_the_gpu_are_watched) {
    wi_watch watch = wi_watch(.quiet = 1);
    use_pool();
    within (&watch) {
        for (int i = 0; i < 50; i++)
            within (wi_gpu_section("epoch")) give(take(MIB2));
    }
    wi__profile profile = own_profile();
    expect_count(path_named(&profile, "epoch")->gpu.calls, 50);
    expect_count(path_named(&profile, "epoch")->gpu.tracked, 50);
    wi__profile_release(&profile);
}

/* ---- how seldom it is read ---- */

static int cheap_reads, dear_reads, preparations;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const double DEAR_SECONDS = 1e-3;

static int64_t read_dearly(void) {
    double end = seconds() + DEAR_SECONDS;
    while (seconds() < end) continue;
    return ++dear_reads;
}

static int64_t read_cheaply(void) { return ++cheap_reads; }

/* It may run code that counts itself: the lock is not held. */
static void prepare(void) {
    wi__counters_lock();
    preparations++;
    wi__counters_unlock();
}

alone(a_counter_that_is_dear_takes_half_a_percent_and_does_not_hold_up_the_others) {
    static const wi__counter dear = {
        .many = "pearls", .is_dear = 1, .read = read_dearly, .prepare = prepare};
    static const wi__counter cheap = {.many = "shells", .read = read_cheaply};
    wi__counter_add(&dear);
    wi__counter_add(&cheap);
    wi_watch watch = wi_watch(.quiet = 1);
    within (wi_section("the record begins")) continue;
    double begin = seconds();
    within (&watch)
        while (seconds() < begin + 0.5)
            within (wi_section("epoch")) usleep(200);
    double most = (seconds() - begin) / (256 * DEAR_SECONDS);
    /* The first looks, two reads each, tell what it costs. */
    expect(dear_reads >= 2 && dear_reads <= 2 * (WI__REMEMBERED_LOOKS + 1) + most);
    expect(cheap_reads >= dear_reads + !UNDER_TSAN && preparations == dear_reads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_pool_of_the_program_is_counted),
        test(without_a_pool_it_is_the_device),
        test(gpus_in_use_are_added_up),
        test(the_limit_is_what_the_gpu_has),
        test(it_is_absent_until_the_program_uses_a_gpu),
        test(it_never_initialises_cuda),
        test(a_driver_that_fails_makes_it_absent_and_it_comes_back),
        test(in_a_child_it_is_absent),
        test(captures_of_graphs_are_not_disturbed),
        test(memory_that_is_kept_is_told_of_its_section),
        test(memory_that_is_given_back_is_not_told),
        test(sections_on_the_gpu_are_watched),
        test(a_counter_that_is_dear_takes_half_a_percent_and_does_not_hold_up_the_others),
    };
    return cmocka_run_group_tests_name("gpu_counter", tests, NULL, NULL);
}
