/* wi_interrupts: signals become an error at the next safe point, once, and never in an exit. */
#include "interrupt_helpers.h"

/* ---- the error ---- */

BODY(poll_after_a_signal) {
    within (wi_interrupts(.grace_s = 30)) {
        wi_poll();
        raise(SIGTERM);
        wi_poll();
        expect(0);
    }
}

alone(a_signal_becomes_an_error_at_the_next_poll) {
    wi_error *error;
    wi_call(poll_after_a_signal, NULL, &error);
    char message[80];
    snprintf(message, sizeof message, "SIGTERM from process %d; 30 s of 30 s are left", getpid());
    expect_text(wi_error_message(error), message);
    expect_count(wi_error_signal(error), SIGTERM);
    expect_text(wi_error_trail(error, 0)->manager, "interrupts");
    expect_text(wi_error_trail(error, 0)->what, "SIGINT SIGUSR1 SIGTERM");
    expect(!wi_error_is(error, WI_ERROR));
    expect(wi_error_is(error, WI_INTERRUPTED));
    wi_error_free(error);
    expect(is_default(SIGTERM));
}

alone(it_passes_what_takes_every_error) {
    volatile int way = 0;
    wi_try {
        wi_try {
            within (wi_suppress(WI_ERROR)) poll_after_a_signal(NULL);
        } wi_catch (WI_ERROR, error) {
            way += 100;
        } wi_finally {
            way += 1;
        }
    } wi_catch (WI_INTERRUPTED, error) {
        way += 10;
    }
    expect_count(way, 11);
}

alone(other_errors_tell_of_no_signal) {
    wi_try
        wi_raise(WI_VALUE_ERROR, "no");
    wi_catch (WI_VALUE_ERROR, error)
        expect_count(wi_error_signal(error), 0);
}

/* ---- safe points ---- */

BODY(reach_a_section) {
    within (wi_section("never")) expect(0);
}
BODY(reach_a_named_section) {
    const char *name = arg ? arg : "never";
    within (wi_section(name)) expect(0);
}
BODY(reach_a_timer) {
    within (wi_timer("never", .quiet = 1)) expect(0);
}
BODY(poll) { wi_poll(); }

typedef struct trial {
    void (*body)(void *arg);
    int completed;
} trial;

BODY(interrupt_trial) {
    trial *t = arg;
    within (wi_interrupts()) {
        raise(SIGINT);
        t->body(NULL);
        t->completed = 1;
    }
}

alone(begins_of_sections_and_timers_are_safe_points_before_anything_is_open) {
    void (*const bodies[])(void *) = {poll, reach_a_section, reach_a_named_section, reach_a_timer};
    for (int i = 0; i < 4; i++) {
        trial t = {bodies[i], 0};
        expect_count(interruption_of(interrupt_trial, &t), SIGINT);
        expect(!t.completed);
    }
    wi__profile profile = own_profile();
    expect_count(profile.open_count, 0);
    expect_count(find_path(&profile, "never"), WI__NO_PATH);
    wi__profile_release(&profile);
}

static void end_a_section(void) {
    within (wi_section("ended")) raise(SIGTERM);
    expect(0);
}

static wi_timer timer;
static void end_a_timer(void) {
    within (&timer) raise(SIGTERM);
    expect(0);
}

alone(ends_of_sections_and_timers_are_safe_points_when_all_is_done) {
    timer = wi_timer("timed", .quiet = 1);
    expect_count(interrupted_in(end_a_section), SIGTERM);
    expect_count(interrupted_in(end_a_timer), SIGTERM);
    expect(!timer.running && timer.elapsed > 0);
    wi__profile profile = own_profile();
    expect_count(calls_of(&profile, "ended"), 1);
    expect_count(calls_of(&profile, "timed"), 1);
    expect_count(path_named(&profile, "ended")->errors, 0);
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

static void just_raise(void) { raise(SIGUSR1); }

alone(the_end_of_the_block_is_a_safe_point) {
    expect_count(interrupted_in(just_raise), SIGUSR1);
    expect(is_default(SIGUSR1));
}

static void fail_after_a_signal(void) {
    raise(SIGTERM);
    wi_raise(WI_VALUE_ERROR, "diverged");
}

alone(an_error_that_leaves_the_block_is_the_context) {
    wi_error *error;
    wi_call(in_interrupts, (void *)fail_after_a_signal, &error);
    expect_text(wi_error_kind(error)->name, "WI_INTERRUPTED");
    expect_text(wi_error_message(wi_error_context(error)), "diverged");
    wi_error_free(error);
}

static int leave_early(void) {
    within (wi_interrupts()) {
        raise(SIGTERM);
        return 3;
    }
    return 4;
}
static void leave_early_body(void) { leave_early(); }

alone(left_early_the_old_handler_gets_what_nobody_has_seen) {
    expect_ended_by(leave_early_body, SIGTERM);
}

static void return_from_section(void) {
    within (wi_section("left")) {
        raise(SIGTERM);
        return;
    }
}
static void return_and_go_on(void) {
    return_from_section();
    caught++;
    wi_poll();
}

alone(a_section_that_is_left_early_is_no_safe_point) {
    expect_count(interrupted_in(return_and_go_on), SIGTERM);
    expect_count(caught, 1);
}

/* ---- never in an exit ---- */

static int exits_begun, exits_done;

static wi_verdict busy_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    exits_begun++;
    if (!wi_interrupted()) raise(SIGTERM);
    wi_poll();
    within (wi_section("save")) measure("inner");
    within (wi_timer("save", .quiet = 1)) continue;
    within (wi_exit_stack()) wi_poll();
    wi_poll();
    exits_done++;
    return WI_PROPAGATE;
}
static const wi_protocol busy_protocol = {"busy", NULL, busy_exit, NULL};
typedef wi_manager busy;

/* A block of the same kind is opened in an exit, by a function. */
static wi_verdict nested_exit(void *self, wi_reason reason, const wi_error *error) {
    within (wi_make(busy)) continue;
    within (wi_make(busy)) measure("body in an exit");
    return busy_exit(self, reason, error);
}
static const wi_protocol nested_protocol = {"nested", NULL, nested_exit, NULL};
typedef wi_manager nested;

wi_generator(yielding, int unused) {
    wi_begin;
    wi_yield;
    busy_exit(NULL, reason, error);
}

wi_suppressing_generator(swallowing, int unused) {
    wi_begin;
    wi_yield;
    busy_exit(NULL, reason, error);
    if (wi_error_is(error, WI_VALUE_ERROR)) self->verdict = WI_SUPPRESS;
}

static void callback(void *unused) { busy_exit(unused, WI_END, NULL); }

static void end_block(void) {
    within (wi_make(busy)) continue;
}
static void end_nested(void) {
    within (wi_make(nested)) continue;
}
static void end_generator(void) {
    within (wi_make(yielding)) continue;
}
static void leave_block(void) {
    within (wi_make(busy)) return;
}
static void leave_use(void) { wi_use(wi_make(busy)); }
static void fail_in_block(void) {
    wi_try {
        within (wi_make(busy)) wi_raise(WI_VALUE_ERROR, "diverged");
    } wi_catch (WI_VALUE_ERROR, error) {
        caught++;
    }
}
static void fail_in_nested(void) {
    wi_try {
        within (wi_make(nested)) wi_raise(WI_VALUE_ERROR, "diverged");
    } wi_catch (WI_VALUE_ERROR, error) {
        caught++;
    }
}
static void swallow(void) {
    within (wi_make(swallowing)) wi_raise(WI_VALUE_ERROR, "diverged");
}
static void end_stack(void) {
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, wi_make(busy));
        wi_stack_callback(stack, callback, NULL);
    }
}
static void close_stack(void) {
    wi_exit_stack stack = wi_exit_stack();
    wi_stack_enter(&stack, wi_make(busy));
    wi_stack_callback(&stack, callback, NULL);
    wi_stack_close(&stack);
}
static void finally_body(void) {
    wi_try {
        wi_try
            wi_raise(WI_VALUE_ERROR, "diverged");
        wi_finally
            busy_exit(NULL, WI_RAISED, NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        caught++;
    }
}
static jmp_buf env;
static void jump_out(void) {
    wi_mark mark = wi_here();
    if (setjmp(env)) return;
    within (wi_make(busy)) wi_longjmp(env, 1, mark);
}

static void (*subject)(void);
static void run_subject(void) {
    subject();
    expect_count(exits_done, exits_begun);
    expect(wi_interrupted() == SIGTERM);
    caught_signal = 1; /* the exit was not cut, and the code behind it has been reached */
    wi_poll();
    expect(0);
}

alone(no_exit_is_cut_in_half_on_any_way_out) {
    void (*const subjects[])(void) = {end_block, end_nested,    end_generator,  leave_block,
                                      leave_use, fail_in_block, fail_in_nested, swallow,
                                      end_stack, close_stack,   finally_body,   jump_out};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subject = subjects[i];
        caught_signal = exits_begun = exits_done = 0;
        expect_count(interrupted_in(run_subject), SIGTERM);
        expect_that(caught_signal && exits_done > 0, WHERE, "subject %zu", i);
        expect_count(wi_interrupted(), 0);
    }
}

static void raise_in_exit(void) {
    wi_try {
        within (stack, wi_exit_stack()) wi_stack_callback(stack, exit_raises, NULL);
    } wi_catch (WI_VALUE_ERROR, error) {
        caught++;
    }
    raise(SIGTERM);
    wi_poll();
    expect(0);
}

alone(behind_an_exit_that_raised_safe_points_raise_again) {
    expect_count(interrupted_in(raise_in_exit), SIGTERM);
    expect_count(caught, 1);
}

static void in_a_catch(void) {
    wi_try {
        wi_raise(WI_VALUE_ERROR, "diverged");
    } wi_catch (WI_VALUE_ERROR, error) {
        raise(SIGTERM);
        wi_poll();
        expect(0);
    }
}

alone(a_catch_is_code_like_any_other) {
    wi_error *error;
    wi_call(in_interrupts, (void *)in_a_catch, &error);
    expect_count(wi_error_signal(error), SIGTERM);
    expect_text(wi_error_message(wi_error_context(error)), "diverged");
    wi_error_free(error);
}

static void in_uninterrupted(void) {
    within (wi_uninterrupted()) {
        raise(SIGTERM);
        within (wi_uninterrupted()) wi_poll();
        measure("not cut");
        wi_poll();
        expect_count(wi_interrupted(), SIGTERM);
        caught++;
    }
    caught++;
    wi_poll();
    expect(0);
}

alone(uninterrupted_steps_are_whole_and_the_next_safe_point_raises) {
    expect_count(interrupted_in(in_uninterrupted), SIGTERM);
    expect_count(caught, 2);
    expect_count(interrupted_in(just_raise), SIGUSR1);
}

/* ---- once ---- */

BODY(poll_in_nested) {
    within (wi_interrupts(.grace_s = 60)) {
        within (wi_interrupts(.grace_s = 20)) {
            wi_try {
                raise(SIGTERM);
                wi_poll();
            } wi_catch (WI_INTERRUPTED, error) {
                caught++;
                expect(wi_grace_left() > 19 && wi_grace_left() <= 20);
                expect_count(wi_interrupted(), SIGTERM);
                wi_poll();
                measure("saving");
            }
            wi_poll();
            expect_count(wi_interrupted(), 0);
            expect(isinf(wi_grace_left()));
        }
        wi_poll();
    }
}

alone(a_signal_is_raised_once_in_the_innermost_block) {
    expect_count(interruption_of(poll_in_nested, NULL), 0);
    expect_count(caught, 1);
    expect(is_default(SIGTERM));
}

BODY(outer_takes_it) {
    within (wi_interrupts(.signals = {SIGTERM})) {
        within (wi_interrupts(.signals = {SIGUSR2})) {
            raise(SIGTERM);
            wi_poll();
            expect(0);
        }
    }
}

alone(a_signal_is_raised_for_the_block_that_takes_it) {
    expect_count(interruption_of(outer_takes_it, NULL), SIGTERM);
}

static int number_sent;
BODY(measure_after_a_signal) {
    raise(number_sent);
    measure("never");
}

static void many_signals(void) {
    for (int i = 0; i < 1000; i++) {
        number_sent = i % 2 ? SIGTERM : SIGINT;
        expect_count(interruption_of(measure_after_a_signal, NULL), number_sent);
    }
}

alone(when_its_error_has_ended_the_next_signal_is_a_first_one) {
    expect_count(interrupted_in(many_signals), 0);
}

/* ---- threads ---- */

static int ready, go;
static void *wait_interrupted(void *interrupted) {
    within (wi_interrupts(.grace_s = 5)) {
        wi_try {
            __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
            for (;;) wi_poll();
        } wi_catch (WI_INTERRUPTED, error) {
            *(int *)interrupted += 1;
        }
        while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST)) wi_poll();
    }
    return NULL;
}
static void *poll_without_block(void *unused) {
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST)) {
        wi_poll();
        measure("elsewhere");
        expect_count(wi_interrupted(), 0);
        expect(isinf(wi_grace_left()));
    }
    return unused;
}

alone(each_thread_with_a_block_is_interrupted_once_and_no_other) {
    int counts[3] = {0};
    pthread_t threads[4];
    for (int i = 0; i < 3; i++) threads[i] = start(wait_interrupted, &counts[i]);
    threads[3] = start(poll_without_block, NULL);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 4) sched_yield();
    pthread_kill(threads[3], SIGTERM); /* the handler runs where there is no block */
    spend_ms(20);
    __atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) expect_count(counts[i], 1);
    expect(is_default(SIGTERM));
    expect_count(wi__interrupt_is_due, 0);
}

static void *uncaught_thread(void *unused) {
    within (wi_interrupts()) {
        __atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
        for (;;) wi_poll();
    }
    return unused;
}

static void main_has_a_block(void) {
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    within (wi_interrupts()) {
        pthread_t thread = start(uncaught_thread, NULL);
        while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) sched_yield();
        pthread_kill(thread, SIGTERM);
        pthread_join(thread, NULL); /* the thread alone has ended */
        leave("order", "joined");
        wi_poll();
        expect(0);
    }
}
static void main_has_none(void) {
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    pthread_t thread = start(uncaught_thread, NULL);
    while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) sched_yield();
    kill(getpid(), SIGTERM);
    pthread_join(thread, NULL);
    expect(0);
}

static void *work_on(void *unused) {
    within (wi_interrupts()) {
        __atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
        for (;;) pause();
    }
    return unused;
}
static void main_is_uncaught(void) {
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    start(work_on, NULL);
    while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) sched_yield();
    within (wi_interrupts()) one_signal();
}

alone(uncaught_in_the_main_thread_it_ends_the_process) {
    expect_ended_by(main_is_uncaught, SIGTERM);
}
alone(uncaught_in_a_thread_it_ends_the_thread_if_another_is_to_end_the_process) {
    expect_ended_by(main_has_a_block, SIGTERM);
    expect_left("order", "joined");
}
alone(uncaught_in_a_thread_it_ends_the_process_if_no_other_will) {
    expect_ended_by(main_has_none, SIGTERM);
}

/* ---- ten thousand ---- */

typedef struct counted {
    const wi_protocol *protocol;
    long *entered, *exited;
} counted;
static void counted_enter(void *self) { ++*((counted *)self)->entered; }
static wi_verdict counted_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    measure("exit");
    wi_poll();
    ++*((counted *)self)->exited;
    return WI_PROPAGATE;
}
static const wi_protocol counted_protocol = {"counted", counted_enter, counted_exit, NULL};

enum { STORM = 10000 };
static long entered, exited;

static void nest(int depth) {
    within (wi_make(counted, .entered = &entered, .exited = &exited)) {
        wi_poll();
        within (wi_section("nested")) {
            if (depth) nest(depth - 1);
        }
    }
}

BODY(one_round) {
    within (wi_make(counted, .entered = &entered, .exited = &exited))
        within (wi_interrupts(.signals = {SIGUSR1})) {
            nest(3);
        }
}

/* The next signal comes within some microseconds of running: whatever the program does then. */
static void set_off(timer_t alarm_clock) {
    static uint64_t random = 88172645463325252u;
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    struct itimerspec soon = {.it_value = {0, 500 + (long)(random % 30000)}};
    expect(timer_settime(alarm_clock, 0, &soon, NULL) == 0);
}

alone(ten_thousand_signals_at_any_moment_and_each_exit_runs_once) {
    timer_t alarm_clock;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    expect(timer_create(CLOCK_MONOTONIC, &event, &alarm_clock) == 0);
    within (wi_interrupts(.signals = {SIGUSR1})) {
        for (set_off(alarm_clock); caught < STORM;) {
            wi_error *error;
            if (wi_call(one_round, NULL, &error)) continue;
            expect_count(wi_error_signal(error), SIGUSR1);
            expect_count(entered, exited);
            wi_error_free(error);
            if (++caught < STORM) set_off(alarm_clock); /* a first one again */
        }
    }
    timer_delete(alarm_clock);
    expect_count(entered, exited);
    expect(is_default(SIGUSR1));
    wi__profile profile = own_profile();
    expect_count(profile.header.interruption.count, STORM);
    expect_count(all_tallied(&profile, WI__MISMATCHED), 0);
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_signal_becomes_an_error_at_the_next_poll),
        test(it_passes_what_takes_every_error),
        test(other_errors_tell_of_no_signal),
        test(begins_of_sections_and_timers_are_safe_points_before_anything_is_open),
        test(ends_of_sections_and_timers_are_safe_points_when_all_is_done),
        test(the_end_of_the_block_is_a_safe_point),
        test(an_error_that_leaves_the_block_is_the_context),
        test(left_early_the_old_handler_gets_what_nobody_has_seen),
        test(a_section_that_is_left_early_is_no_safe_point),
        test(no_exit_is_cut_in_half_on_any_way_out),
        test(behind_an_exit_that_raised_safe_points_raise_again),
        test(a_catch_is_code_like_any_other),
        test(uninterrupted_steps_are_whole_and_the_next_safe_point_raises),
        test(a_signal_is_raised_once_in_the_innermost_block),
        test(a_signal_is_raised_for_the_block_that_takes_it),
        test(when_its_error_has_ended_the_next_signal_is_a_first_one),
        test(each_thread_with_a_block_is_interrupted_once_and_no_other),
        test(uncaught_in_the_main_thread_it_ends_the_process),
        test(uncaught_in_a_thread_it_ends_the_thread_if_another_is_to_end_the_process),
        test(uncaught_in_a_thread_it_ends_the_process_if_no_other_will),
        test(ten_thousand_signals_at_any_moment_and_each_exit_runs_once),
    };
    return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
