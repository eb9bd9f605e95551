/* Threads: each measures into a region of its own, and hands it on when it ends. */
#include "record_helpers.h"

#include "record/arena.h"

static void *measure_work(void *arg) {
    measure("work");
    return arg;
}

/* One after the other they need one region beside main's; a few, where one ends after the next began. */
alone(short_threads_reuse_regions) {
    enum { THREADS = 10000 };
    measure("main");
    in_thread(measure_work, NULL);
    uint32_t used = wi__record_header()->used_cells;
    for (int i = 1; i < THREADS; i++) in_thread(measure_work, NULL);
    expect_count(wi__record_header()->used_cells, used);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "work"), THREADS);
    expect_count(profile.threads, THREADS + 1);
    wi__profile_release(&profile);
}

/* 40 KiB a thread that runs at the same time as others, each with this few paths: 8 KiB of region, 16 KiB
 * of nodes; and the file grows by steps of at most 4 MiB. */
alone(short_threads_leave_the_file_small) {
    enum { AT_ONCE = 8, ROUNDS = 1250, A_THREAD = 40 << 10 };
    wi_record_open("record");
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t threads[AT_ONCE];
        for (int j = 0; j < AT_ONCE; j++) threads[j] = start(measure_work, NULL);
        for (int j = 0; j < AT_ONCE; j++) pthread_join(threads[j], NULL);
    }
    wi__profile profile = profile_in("record");
    expect_count(calls_of(&profile, "work"), AT_ONCE * ROUNDS);
    expect(profile.header.used_cells * (uint64_t)WI__CELL_BYTES <= (AT_ONCE + 2) * A_THREAD);
    expect(size_of("record") <= 512 << 10);
    wi__profile_release(&profile);
}

/* ---- at the same time ---- */

enum { THREADS = 8, CALLS = 20000 };

static void *measure_many(void *arg) {
    int number = *(int *)arg;
    char own[16];
    snprintf(own, sizeof own, "own %d", number);
    for (int i = 0; i < CALLS; i++)
        within (wi_section("shared")) {
            within (wi_section("inside")) continue;
            if (i % 100 == 0)
                within (wi_section(own)) continue;
        }
    return NULL;
}

alone(merged_totals_of_threads_are_exact) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        threads[i] = start(measure_many, &numbers[i]);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "shared"), THREADS * CALLS);
    expect_count(calls_of(&profile, "shared > inside"), THREADS * CALLS);
    expect_count(calls_of(&profile, "shared > own 3"), CALLS / 100);
    expect_count(profile.threads, THREADS + 1);
    const wi__path *shared = path_named(&profile, "shared");
    uint64_t in_buckets = 0;
    for (uint32_t i = 0; i < shared->bucket_count; i++) in_buckets += shared->buckets[i].calls;
    expect_count(in_buckets, THREADS * CALLS);
    wi__profile_release(&profile);
}

/* The reader's copy is made while the other thread writes: each path is as it was at one moment, but not
 * all at the same. */
static int stop; /* atomic */

static void *measure_until_told(void *arg) {
    char name[32];
    for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        within (wi_section("outer"))
            within (wi_section("inner")) continue;
        snprintf(name, sizeof name, "new %d", i / 64 % 500);
        if (i % 64 == 0) measure(name);
    }
    return arg;
}

static void check_live(const wi__profile *profile) {
    if (find_path(profile, "outer > inner") == WI__NO_PATH) return;
    const wi__path *outer = path_named(profile, "outer"),
                   *inner = path_named(profile, "outer > inner");
    for (int i = 0; i < 2; i++) {
        const wi__path *path = i ? inner : outer;
        if (!path->calls) continue;
        uint64_t in_buckets = 0;
        for (uint32_t j = 0; j < path->bucket_count; j++) in_buckets += path->buckets[j].calls;
        if (profile->torn) continue;
        expect_count(path->calls, in_buckets);
        expect(path->min <= path->total / path->calls && path->total / path->calls <= path->max);
    }
}

alone(a_profile_of_a_thread_that_goes_on_measuring_is_consistent) {
    pthread_t thread = start(measure_until_told, NULL);
    uint64_t last = 0;
    uint32_t paths = 0;
    for (int i = 0; i < 200; i++) {
        wi__profile profile = own_profile();
        check_live(&profile);
        expect_count(profile.damaged, 0);
        expect(profile.torn <= 3); /* the three that were open */
        expect(profile.path_count >= paths);
        paths = (uint32_t)profile.path_count;
        if (find_path(&profile, "outer") != WI__NO_PATH) {
            expect(calls_of(&profile, "outer") >= last);
            last = calls_of(&profile, "outer");
        }
        wi__profile_release(&profile);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

/* The same from outside, while the file grows: what a reading finds in its old part leads into the new. */
static void *open_new_paths(void *arg) {
    char name[32];
    within (wi_section("outer"))
        for (int i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "new %d", i);
            measure(name);
        }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    return arg;
}

alone(a_file_that_grows_while_it_is_read_is_no_damage) {
    wi_record_open("record");
    pthread_t thread = start(open_new_paths, NULL);
    size_t paths = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        wi__profile profile = profile_in("record");
        check_live(&profile);
        expect_count(profile.damaged, 0);
        expect(profile.alive);
        expect(profile.path_count >= paths);
        paths = profile.path_count;
        wi__profile_release(&profile);
    }
    pthread_join(thread, NULL);
}

/* ---- a thread's own clean-up code ---- */

static pthread_key_t late_key;

static void measure_late(void *arg) {
    (void)arg;
    measure("late");
}

static void *measure_and_leave_a_destructor(void *arg) {
    measure("work");
    pthread_setspecific(late_key, arg);
    return NULL;
}

alone(sections_in_a_threads_destructors_are_measured) {
    measure("main");
    expect(pthread_key_create(&late_key, measure_late) == 0);
    for (int i = 0; i < 10; i++) in_thread(measure_and_leave_a_destructor, &late_key);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "late"), 10);
    expect(profile.header.used_cells * (uint64_t)WI__CELL_BYTES < 150000);
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(short_threads_reuse_regions),
        test(short_threads_leave_the_file_small),
        test(merged_totals_of_threads_are_exact),
        test(a_profile_of_a_thread_that_goes_on_measuring_is_consistent),
        test(a_file_that_grows_while_it_is_read_is_no_damage),
        test(sections_in_a_threads_destructors_are_measured),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
