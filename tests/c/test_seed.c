/* wi_temporary_seed: what a block seeds, and that all is as it was after it, however and in whatever order it ends. */
#include "record_helpers.h"

/* ---- the state of all generators: its bytes, and what is drawn from it in a child ---- */

enum { STATE = 256, DRAWS = 40 };

static _Alignas(int64_t) char buffer[STATE]; /* of random, larger than its default */

typedef struct everything {
    char buffer[STATE];
    const char *in_use; /* by random */
    wi_rng rng;
    long random[DRAWS];
    double drand48[DRAWS];
} everything;

static everything drawn(void) {
    everything all = {.rng = *wi_thread_rng()};
    for (int i = 0; i < DRAWS; i++) all.random[i] = i % 2 ? rand() : random();
    for (int i = 0; i < DRAWS; i++) all.drand48[i] = drand48();
    return all;
}

/* While a state is in use its first word is out of date. */
static const char *state_in_use(void) {
    static _Alignas(int64_t) char other[8];
    char *in_use = initstate(1, other, sizeof other);
    setstate(in_use);
    return in_use;
}

static everything now(void) {
    everything all;
    int ends[2];
    const char *in_use = state_in_use();
    expect(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        all = drawn();
        _exit(write(ends[1], &all, sizeof all) != sizeof all);
    }
    expect(read(ends[0], &all, sizeof all) == sizeof all);
    expect(waitpid(child, NULL, 0) == child && close(ends[0]) == 0 && close(ends[1]) == 0);
    memcpy(all.buffer, buffer, STATE);
    all.in_use = in_use;
    return all;
}

/* What few programs have: a, c and X of drand48, a state of random and a thread's generator of their own. */
static everything begin(void) {
    unsigned short parameters[7] = {1, 2, 3, 0x1235, 6, 7, 8};
    *wi_thread_rng() = wi_rng_mt19937(7);
    wi_rng_normal(wi_thread_rng());
    initstate(7, buffer, STATE);
    for (int i = 0; i < 5; i++) random();
    lcong48(parameters);
    drand48();
    return now();
}

static int is_as(const everything *before) {
    everything after = now();
    return memcmp(&after, before, sizeof after) == 0;
}

/* What is drawn after this seed. */
static everything seeded_with(uint32_t seed) {
    everything all;
    within (wi_temporary_seed(seed)) all = now();
    return all;
}

static void draw(void) {
    wi_rng_double(wi_thread_rng());
    random();
    drand48();
}

static char last_error[512];

static int raises(const wi_error_type *kind, void (*body)(void *arg), void *arg) {
    wi_error *error;
    wi_call(body, arg, &error);
    snprintf(last_error, sizeof last_error, "%s", error ? wi_error_message(error) : "");
    int is_kind = wi_error_is(error, kind);
    wi_error_free(error);
    return is_kind;
}

/* ---- what is seeded ---- */

alone(a_block_seeds_as_numpy_and_the_c_library_do) {
    const uint32_t seeds[] = {0, 1, 42, 0x80000000u, UINT32_MAX};
    for (int i = 0; i < 5; i++) {
        everything expected, found;
        begin();
        found = seeded_with(seeds[i]);
        srandom(seeds[i]);
        srand48((long)seeds[i]);
        *wi_thread_rng() = wi_rng_pcg64(seeds[i]);
        expected = now();
        expect(memcmp(&found.rng, &expected.rng, sizeof found.rng) == 0);
        expect(memcmp(found.drand48, expected.drand48, sizeof found.drand48) == 0);
    }
    within (seeded, wi_temporary_seed(42)) {
        expect(seeded->rng == wi_thread_rng());
        expect(wi_rng_double(seeded->rng) == 0.7739560485559633);
    }
}

/* In a program that has left random its first state. */
alone(random_is_as_srandom_leaves_it) {
    everything found = seeded_with(42), expected;
    srandom(42);
    expected = now();
    expect(memcmp(found.random, expected.random, sizeof found.random) == 0);
}

static void enter_block(void *seed) {
    within (wi_temporary_seed(*(int64_t *)seed)) draw();
}

alone(other_seeds_are_refused_and_nothing_is_changed) {
    everything before = begin();
    int64_t seeds[] = {-1, 1ll << 32, INT64_MIN, INT64_MAX};
    for (int i = 0; i < 4; i++) expect(raises(WI_VALUE_ERROR, enter_block, &seeds[i]));
    expect(raises(WI_VALUE_ERROR, enter_block, &seeds[0]));
    expect_text(last_error, "wi_temporary_seed: seed -1 is not from 0 to 2^32 - 1");
    expect(is_as(&before));
}

static void enter_twice(void *arg) {
    wi_temporary_seed *seed = arg;
    within (seed)
        within (seed) draw();
}

alone(one_object_is_one_block_at_a_time) {
    everything before = begin();
    wi_temporary_seed seed = wi_temporary_seed(42);
    expect(raises(WI_USAGE_ERROR, enter_twice, &seed));
    expect_text(last_error, "wi_temporary_seed(42): it is open already; use one a block");
    expect(is_as(&before) && !seed.rng);
    double first[2];
    for (int i = 0; i < 2; i++)
        within (&seed) first[i] = wi_rng_double(seed.rng);
    expect(first[0] == first[1] && is_as(&before));
}

alone(the_ledger_says_which_seed) {
    within (wi_temporary_seed(42)) {
        wi__profile profile = own_profile();
        expect_count(profile.open_count, 1);
        expect_text(profile.open[0].kind, "seed");
        expect_text(profile.open[0].what, "42");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

/* ---- ways out ---- */

static int leave_by_return(void) {
    within (wi_temporary_seed(1)) {
        draw();
        return 1;
    }
    return 0;
}

static void leave_by_error(void *arg) {
    (void)arg;
    within (wi_temporary_seed(1)) {
        draw();
        wi_raise(WI_DATA_ERROR, "diverged");
    }
}

static void leave_by_longjmp(void) {
    wi_mark mark = wi_here();
    jmp_buf env;
    if (setjmp(env) == 0)
        within (wi_temporary_seed(1)) wi_longjmp(env, 1, mark);
}

alone(all_is_as_it_was_after_every_way_out) {
    everything before = begin();
    within (wi_temporary_seed(1)) draw();
    expect(is_as(&before));
    within (wi_temporary_seed(1)) {
        draw();
        continue;
    }
    expect(is_as(&before));
    expect(leave_by_return() && is_as(&before));
    within (wi_temporary_seed(1)) goto out;
out:
    expect(is_as(&before));
    expect(raises(WI_DATA_ERROR, leave_by_error, NULL) && is_as(&before));
    leave_by_longjmp();
    expect(is_as(&before));
    {
        wi_use(wi_temporary_seed(1));
        draw();
    }
    expect(is_as(&before));
}

static everything before_exit;

static void check_at_exit(void) { expect(is_as(&before_exit)); }

alone(all_is_as_it_was_when_exit_ends_the_block) {
    atexit(check_at_exit); /* before the first block: it is called after the blocks' ends */
    before_exit = begin();
    within (wi_temporary_seed(1)) exit(0);
}

static void *wait_in_a_block(void *arg) {
    within (wi_temporary_seed(1)) {
        draw();
        pthread_cancel(pthread_self());
        pthread_testcancel();
    }
    return arg;
}

alone(a_cancelled_thread_puts_back_what_is_the_processes) {
    everything before = begin();
    expect(in_thread(wait_in_a_block, NULL) == PTHREAD_CANCELED);
    expect(is_as(&before));
}

alone(a_body_may_seed_and_change_states_itself) {
    static _Alignas(int64_t) char other[64];
    unsigned short parameters[7] = {9, 9, 9, 9, 9, 9, 9};
    everything before = begin();
    within (seeded, wi_temporary_seed(1)) {
        srand(5);
        initstate(6, other, sizeof other);
        lcong48(parameters);
        *seeded->rng = wi_rng_mt19937(3);
    }
    expect(is_as(&before));
}

/* ---- blocks in blocks, and in any order ---- */

alone(blocks_nest) {
    everything before = begin();
    within (wi_temporary_seed(1)) {
        draw();
        everything inside = now();
        within (wi_temporary_seed(2)) draw();
        expect(is_as(&inside));
        draw();
    }
    expect(is_as(&before));
}

enum { BLOCKS = 4 };

/* Each block's stream goes on undisturbed while older ones are left. */
static void leave_in_order(const int *order) {
    everything before = begin();
    wi_exit_stack stacks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        stacks[i] = wi_exit_stack();
        wi_stack_enter(&stacks[i], wi_temporary_seed(i));
        draw();
    }
    int newest = BLOCKS - 1, is_open[BLOCKS] = {1, 1, 1, 1};
    for (int i = 0; i < BLOCKS; i++) {
        everything inside = now();
        wi_stack_close(&stacks[order[i]]);
        is_open[order[i]] = 0;
        if (order[i] != newest) expect(is_as(&inside));
        while (newest >= 0 && !is_open[newest]) newest--;
    }
    expect(is_as(&before));
}

alone(blocks_are_left_in_any_order) {
    for (int code = 0; code < 256; code++) {
        int order[BLOCKS] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
        int seen = 1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3];
        if (seen == 15) leave_in_order(order);
    }
}

/* A block that is left gives the one around it its own state back, not the one before both. */
alone(a_block_is_as_it_was_when_those_in_it_are_left_in_any_order) {
    everything before = begin(), inside;
    within (wi_temporary_seed(1)) {
        draw();
        inside = now();
        wi_exit_stack older = wi_exit_stack(), newer = wi_exit_stack();
        wi_stack_enter(&older, wi_temporary_seed(2));
        wi_stack_enter(&newer, wi_temporary_seed(3));
        wi_stack_close(&older);
        wi_stack_close(&newer);
        expect(is_as(&inside));
    }
    expect(is_as(&before));
}

/* ---- other generators ---- */

/* A counter, which notes what is done with it: "s" saved, "=" seeded, "r" restored, each with its name. */
typedef struct counter {
    char name;
    int value;
    int copies; /* that nobody has freed */
    char fails; /* 's', '=' or 'r' */
} counter;

static char steps[256];

static void step(const counter *of, char what) {
    size_t length = strlen(steps);
    snprintf(steps + length, sizeof steps - length, "%c%c ", what, of->name);
    if (of->fails == what) wi_raise(WI_DATA_ERROR, "%c%c failed", what, of->name);
}

static void *save_counter(void *rng) {
    counter *of = rng;
    step(of, 's');
    int *copy = malloc(sizeof *copy);
    *copy = of->value;
    of->copies++;
    return copy;
}

static void seed_counter(void *rng, uint32_t seed) {
    counter *of = rng;
    step(of, '=');
    of->value = (int)seed;
}

static void restore_counter(void *rng, void *saved) {
    counter *of = rng;
    of->value = *(int *)saved;
    of->copies--;
    free(saved);
    step(of, 'r');
}

static wi_registered_rng *register_counter(counter *of) {
    return wi_register_rng(of, .name = "counter", .save = save_counter, .seed = seed_counter,
                           .restore = restore_counter);
}

static void enter_seed(void *seed) {
    within ((wi_temporary_seed *)seed) steps[0] = '\0';
}

alone(registered_generators_are_all_saved_then_seeded_and_put_back_in_reverse_order) {
    counter a = {.name = 'a', .value = 5}, b = {.name = 'b', .value = 6};
    wi_registered_rng *first = register_counter(&a), *second = register_counter(&b);
    within (wi_temporary_seed(42)) expect(a.value == 42 && b.value++ == 42);
    expect_text(steps, "sa sb =a =b rb ra ");
    expect(a.value == 5 && b.value == 6 && a.copies == 0 && b.copies == 0);
    wi_unregister_rng(first);
    steps[0] = '\0';
    within (wi_temporary_seed(42)) expect(a.value == 5 && b.value == 42);
    expect_text(steps, "sb =b rb ");
    wi_unregister_rng(second);
    wi_unregister_rng(NULL);
    counter c = {.name = 'c'};
    second = register_counter(&c);
    within (wi_temporary_seed(7)) expect(b.value == 6 && c.value == 7);
    wi_unregister_rng(second);
}

static everything before_saving;

static void *save_looking(void *rng) {
    expect(is_as(&before_saving));
    return save_counter(rng);
}

alone(nothing_is_seeded_or_changed_before_all_is_saved) {
    before_saving = begin();
    counter a = {.name = 'a'};
    wi_registered_rng *registered =
        wi_register_rng(&a, .save = save_looking, .seed = seed_counter, .restore = restore_counter);
    within (wi_temporary_seed(42)) expect(a.value == 42);
    wi_unregister_rng(registered);
}

static void fail_to_enter(char what, const char *expected_steps) {
    everything before = begin();
    counter of[3] = {{.name = 'a'}, {.name = 'b', .fails = what}, {.name = 'c'}};
    wi_registered_rng *registered[3];
    for (int i = 0; i < 3; i++) registered[i] = register_counter(&of[i]);
    wi_temporary_seed seed = wi_temporary_seed(42);
    steps[0] = '\0';
    expect(raises(WI_DATA_ERROR, enter_seed, &seed));
    expect_text(last_error, what == 's' ? "sb failed" : "=b failed");
    expect_text(steps, expected_steps);
    expect(is_as(&before) && !seed.rng);
    for (int i = 0; i < 3; i++) {
        expect(of[i].value == 0 && of[i].copies == 0);
        wi_unregister_rng(registered[i]);
    }
    within (&seed) draw();
    expect(is_as(&before));
}

alone(what_fails_half_way_through_an_entry_is_taken_back) {
    fail_to_enter('s', "sa sb ra ");
    fail_to_enter('=', "sa sb sc =a =b rc rb ra ");
}

static void raise_in_block(void *arg) {
    (void)arg;
    within (wi_temporary_seed(42)) wi_raise(WI_VALUE_ERROR, "diverged");
}

alone(a_restore_that_fails_keeps_none_of_the_others_from_it) {
    everything before = begin();
    counter of[4] = {
        {.name = 'a'}, {.name = 'b', .fails = 'r'}, {.name = 'c', .fails = 'r'}, {.name = 'd'}};
    wi_registered_rng *registered[4];
    for (int i = 0; i < 4; i++) registered[i] = register_counter(&of[i]);
    wi_temporary_seed seed = wi_temporary_seed(42);
    expect(raises(WI_DATA_ERROR, enter_seed, &seed));
    expect_text(last_error, "rc failed");
    expect_text(steps, "rd rc rb ra ");
    wi__profile profile = own_profile();
    expect_count(tallied(&profile, WI__SUPPRESSED, "WI_DATA_ERROR: rb failed", ""), 1);
    wi__profile_release(&profile);
    expect(is_as(&before) && !seed.rng);
    wi_error *error;
    wi_call(raise_in_block, NULL, &error);
    expect_text(wi_error_message(error), "rc failed");
    expect_text(wi_error_message(wi_error_context(error)), "diverged");
    wi_error_free(error);
    for (int i = 0; i < 4; i++) {
        expect(of[i].value == 0 && of[i].copies == 0);
        wi_unregister_rng(registered[i]);
    }
}

alone(registered_generators_are_left_in_any_order_too) {
    counter a = {.name = 'a', .value = 5};
    wi_registered_rng *registered = register_counter(&a);
    wi_exit_stack older = wi_exit_stack(), newer = wi_exit_stack();
    wi_stack_enter(&older, wi_temporary_seed(10));
    a.value++;
    wi_stack_enter(&newer, wi_temporary_seed(20));
    a.value++;
    wi_stack_close(&older);
    expect(a.value == 21 && a.copies == 1);
    wi_stack_close(&newer);
    expect(a.value == 5 && a.copies == 0);
    wi_unregister_rng(registered);
}

alone(a_generator_that_is_unregistered_in_blocks_is_put_back_at_once) {
    everything before = begin();
    counter a = {.name = 'a', .value = 5}, b = {.name = 'b', .value = 6};
    wi_registered_rng *registered = register_counter(&a), *other = NULL;
    within (wi_temporary_seed(1)) {
        within (wi_temporary_seed(2)) {
            other = register_counter(&b);
            wi_unregister_rng(registered);
            expect(a.value == 5 && a.copies == 0);
            a.value = 7;
            b.value = 8;
        }
    }
    expect(a.value == 7 && b.value == 8 && b.copies == 0 && is_as(&before));
    wi_unregister_rng(other);
}

static void unregister(void *registered) { wi_unregister_rng((wi_registered_rng *)registered); }

alone(a_generator_is_forgotten_even_if_it_cannot_be_put_back) {
    counter a = {.name = 'a', .fails = 'r'};
    wi_registered_rng *registered = register_counter(&a);
    within (wi_temporary_seed(1)) expect(raises(WI_DATA_ERROR, unregister, registered));
    steps[0] = '\0';
    within (wi_temporary_seed(1)) draw();
    expect_text(steps, "");
}

static void register_without_restore(void *arg) {
    (void)arg;
    wi_register_rng(NULL, .name = "GSL", .save = save_counter, .seed = seed_counter);
}

alone(a_function_that_is_missing_is_named) {
    expect(raises(WI_VALUE_ERROR, register_without_restore, NULL));
    expect_text(last_error, "wi_register_rng: GSL: .save, .seed and .restore are all needed");
}

static void seed_within(void *rng, uint32_t seed) {
    (void)rng, (void)seed;
    within (wi_temporary_seed(1)) draw();
}

static void seed_by_registering(void *rng, uint32_t seed) {
    (void)seed;
    register_counter((counter *)rng);
}

alone(a_function_of_a_registered_generator_cannot_enter_blocks) {
    everything before = begin();
    counter a = {.name = 'a'};
    void (*seeds[])(void *rng, uint32_t seed) = {seed_within, seed_by_registering};
    for (int i = 0; i < 2; i++) {
        wi_registered_rng *registered =
            wi_register_rng(&a, .save = save_counter, .seed = seeds[i], .restore = restore_counter);
        wi_temporary_seed seed = wi_temporary_seed(42);
        expect(raises(WI_USAGE_ERROR, enter_seed, &seed) && is_as(&before));
        wi_unregister_rng(registered);
    }
    expect_text(last_error, "wi_register_rng: not from a function of a registered generator");
}

/* ---- threads and processes ---- */

static void *first_draw(void *number) {
    *(uint64_t *)number = wi_rng_uint64(wi_thread_rng());
    return wi_thread_rng();
}

alone(each_thread_has_a_generator_of_its_own) {
    uint64_t mine, other, another;
    first_draw(&mine);
    in_thread(first_draw, &other);
    in_thread(first_draw, &another);
    expect(mine != other && other != another && mine != another);
    expect(wi_thread_rng() == wi_thread_rng());
}

/* Else all threads would begin alike after a block. */
static void *draw_after_a_block(void *number) {
    within (wi_temporary_seed(42)) draw();
    return first_draw(number);
}

alone(a_thread_that_was_not_seeded_before_a_block_is_not_after_it) {
    uint64_t one, other;
    in_thread(draw_after_a_block, &one);
    in_thread(draw_after_a_block, &other);
    expect(one != other);
}

static void *block_of_a_thread(void *arg) {
    for (int i = 0; i < 200; i++)
        within (seeded, wi_temporary_seed(42))
            expect(wi_rng_double(seeded->rng) == 0.7739560485559633);
    return arg;
}

alone(blocks_of_threads_overlap) {
    everything before = begin();
    counter a = {.name = 'a', .value = 5};
    wi_registered_rng *registered = register_counter(&a);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(block_of_a_thread, NULL);
    block_of_a_thread(NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    expect(is_as(&before) && a.value == 5 && a.copies == 0);
    wi_unregister_rng(registered);
}

static void *close_stack(void *stack) {
    wi_stack_close((wi_exit_stack *)stack);
    return stack;
}

alone(a_block_that_is_left_on_another_thread_puts_back_the_one_that_entered) {
    everything before = begin();
    wi_exit_stack stack = wi_exit_stack();
    wi_stack_enter(&stack, wi_temporary_seed(1));
    draw();
    in_thread(close_stack, &stack);
    expect(is_as(&before));
}

static void *enter_on_stack(void *stack) {
    wi_stack_enter((wi_exit_stack *)stack, wi_temporary_seed(1));
    draw();
    return stack;
}

alone(a_block_is_left_after_its_thread_has_ended) {
    everything before = begin();
    wi_exit_stack stack = wi_exit_stack();
    in_thread(enter_on_stack, &stack);
    wi_stack_close(&stack);
    expect(is_as(&before));
}

alone(both_sides_of_a_fork_put_back_their_own) {
    everything before = begin();
    pid_t child = -1;
    within (wi_temporary_seed(1)) {
        draw();
        everything inside = now();
        child = fork();
        expect(is_as(&inside));
        if (child == 0) {
            draw();
            within (wi_temporary_seed(2)) draw();
        }
    }
    expect(is_as(&before));
    if (child == 0) _exit(0);
    int status;
    expect(waitpid(child, &status, 0) == child && status == 0);
}

static int stop;

static void *enter_until_told(void *arg) {
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        within (wi_temporary_seed(3)) continue;
        sched_yield(); /* valgrind runs one thread at a time */
    }
    return arg;
}

/* The lock may be another thread's at the moment of the fork. Not exit: what other threads had allocated is lost. */
alone(a_child_of_a_process_with_threads_can_enter_blocks) {
    pthread_t thread = start(enter_until_told, NULL);
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            within (seeded, wi_temporary_seed(1)) wi_rng_double(seeded->rng);
            raise(SIGKILL);
        }
        int status;
        expect(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_seeds_as_numpy_and_the_c_library_do),
        test(random_is_as_srandom_leaves_it),
        test(other_seeds_are_refused_and_nothing_is_changed),
        test(one_object_is_one_block_at_a_time),
        test(the_ledger_says_which_seed),
        test(all_is_as_it_was_after_every_way_out),
        test(all_is_as_it_was_when_exit_ends_the_block),
        test(a_cancelled_thread_puts_back_what_is_the_processes),
        test(a_body_may_seed_and_change_states_itself),
        test(blocks_nest),
        test(blocks_are_left_in_any_order),
        test(a_block_is_as_it_was_when_those_in_it_are_left_in_any_order),
        test(registered_generators_are_all_saved_then_seeded_and_put_back_in_reverse_order),
        test(nothing_is_seeded_or_changed_before_all_is_saved),
        test(what_fails_half_way_through_an_entry_is_taken_back),
        test(a_restore_that_fails_keeps_none_of_the_others_from_it),
        test(registered_generators_are_left_in_any_order_too),
        test(a_generator_that_is_unregistered_in_blocks_is_put_back_at_once),
        test(a_generator_is_forgotten_even_if_it_cannot_be_put_back),
        test(a_function_that_is_missing_is_named),
        test(a_function_of_a_registered_generator_cannot_enter_blocks),
        test(each_thread_has_a_generator_of_its_own),
        test(a_thread_that_was_not_seeded_before_a_block_is_not_after_it),
        test(blocks_of_threads_overlap),
        test(a_block_that_is_left_on_another_thread_puts_back_the_one_that_entered),
        test(a_block_is_left_after_its_thread_has_ended),
        test(both_sides_of_a_fork_put_back_their_own),
        test(a_child_of_a_process_with_threads_can_enter_blocks),
    };
    return cmocka_run_group_tests_name("seed", tests, NULL, NULL);
}
