/* wi_interrupts and the rest of the process: handlers before, second signals, forks, the end, other languages. */
#include "interrupt_helpers.h"

/* ---- which signals ---- */

static void poll_for_hup(void) {
    raise(SIGUSR1);
    wi_poll(); /* ignored before, and so it stays */
    raise(SIGTERM);
    wi_poll();
    expect(0);
}

alone(ignored_signals_stay_ignored) {
    signal(SIGUSR1, SIG_IGN);
    expect_count(interrupted_in(poll_for_hup), SIGTERM);
    expect(is_ignored(SIGUSR1));
}

BODY(take_ignored) {
    within (wi_interrupts(.signals = {SIGHUP, SIGUSR2})) {
        expect(is_default(SIGTERM));
        raise(SIGHUP);
        wi_poll();
    }
}

alone(named_signals_are_taken_ignored_or_not_and_no_others) {
    signal(SIGHUP, SIG_IGN);
    expect_count(interruption_of(take_ignored, NULL), SIGHUP);
    expect(is_ignored(SIGHUP) && is_default(SIGUSR2));
}

alone(a_block_may_take_none_because_all_are_ignored) {
    signal(SIGTERM, SIG_IGN), signal(SIGINT, SIG_IGN), signal(SIGUSR1, SIG_IGN);
    within (wi_interrupts()) {
        raise(SIGTERM);
        wi_poll();
    }
    expect(is_ignored(SIGTERM));
}

static wi_interrupts_options asked;
BODY(enter_asked) {
    within (wi__interrupts(WI__HERE, asked)) expect(0);
}
static void expect_refused(wi_interrupts_options options, const char *message) {
    wi_error *error;
    asked = options;
    expect(!wi_call(enter_asked, NULL, &error));
    expect_text(wi_error_kind(error)->name, "WI_VALUE_ERROR");
    expect_text(wi_error_message(error), message);
    wi_error_free(error);
    expect(is_default(SIGTERM) && is_default(SIGCHLD));
}

alone(what_cannot_be_taken_is_refused_and_nothing_is_changed) {
    expect_refused((wi_interrupts_options){.signals = {SIGTERM, SIGKILL}},
                   "interrupts: SIGKILL: no process can take it");
    expect_refused((wi_interrupts_options){.signals = {SIGSTOP}},
                   "interrupts: SIGSTOP: no process can take it");
    expect_refused((wi_interrupts_options){.signals = {SIGTERM, SIGSEGV}},
                   "interrupts: SIGSEGV: it tells of a fault, after which nothing can go on");
    expect_refused((wi_interrupts_options){.signals = {SIGABRT}},
                   "interrupts: SIGABRT: it tells of a fault, after which nothing can go on");
    expect_refused((wi_interrupts_options){.signals = {SIGCHLD}},
                   "interrupts: SIGCHLD: it does not ask a process to end");
    expect_refused((wi_interrupts_options){.signals = {99}},
                   "interrupts: signal 99: there is no such signal");
    expect_refused((wi_interrupts_options){.signals = {-1}},
                   "interrupts: signal -1: there is no such signal");
    expect_refused((wi_interrupts_options){.signals = {33}},
                   "interrupts: signal 33: the C library keeps it for itself");
    expect_refused((wi_interrupts_options){.grace_s = -1},
                   "interrupts: a grace_s of -1: it must be 0 or more, and finite");
    expect_refused((wi_interrupts_options){.grace_s = INFINITY},
                   "interrupts: a grace_s of inf: it must be 0 or more, and finite");
}

BODY(enter_twice) {
    wi_interrupts block = wi_interrupts();
    within (&block)
        within (&block) continue;
}

alone(a_block_that_is_open_cannot_be_entered) {
    wi_error *error;
    wi_call(enter_twice, NULL, &error);
    expect_text(wi_error_kind(error)->name, "WI_USAGE_ERROR");
    wi_error_free(error);
    expect(is_default(SIGTERM));
}

/* ---- handlers before ---- */

static volatile sig_atomic_t old_calls, old_sender;
static void old_handler(int number) { old_calls += number == SIGTERM; }
static void old_action(int number, siginfo_t *info, void *context) {
    old_calls += number == SIGTERM && context;
    old_sender = info->si_pid;
}

alone(the_handler_before_is_called_and_put_back_as_it_was) {
    struct sigaction old = {.sa_handler = old_handler, .sa_flags = SA_NODEFER}, back;
    sigaddset(&old.sa_mask, SIGUSR2);
    sigaction(SIGTERM, &old, NULL);
    expect_count(interrupted_in(one_signal), SIGTERM);
    expect_count(old_calls, 1);
    back = action_of(SIGTERM);
    expect(back.sa_handler == old_handler && (back.sa_flags & ~0x04000000) == SA_NODEFER);
    expect(sigismember(&back.sa_mask, SIGUSR2) == 1 && sigismember(&back.sa_mask, SIGHUP) == 0);
}

alone(a_handler_before_that_wants_to_know_who_sent_it_is_told) {
    struct sigaction old = {.sa_sigaction = old_action, .sa_flags = SA_SIGINFO};
    sigaction(SIGTERM, &old, NULL);
    expect_count(interrupted_in(one_signal), SIGTERM);
    expect_count(old_calls, 1);
    expect_count(old_sender, getpid());
}

static void over_ours(void) {
    signal(SIGTERM, old_handler); /* over ours, as a library does */
    within (wi_interrupts()) {
        wi_try
            one_signal();
        wi_catch (WI_INTERRUPTED, error)
            caught++;
    }
    expect_count(old_calls, 1);
}

alone(a_handler_that_came_over_ours_is_called_by_the_next_block) {
    expect_count(interrupted_in(over_ours), 0);
    expect_count(caught, 1);
    expect(is_default(SIGTERM));
}

/* A read that a signal interrupts, or not. */
static int pipe_ends[2];
static void *send_then_write(void *thread) {
    spend_ms(20);
    pthread_kill(*(pthread_t *)thread, SIGTERM);
    spend_ms(20);
    expect(write(pipe_ends[1], "x", 1) == 1);
    return NULL;
}
static void read_through(void) {
    char byte;
    pthread_t self = pthread_self(), sender = start(send_then_write, &self);
    caught_signal = (int)read(pipe_ends[0], &byte, 1);
    pthread_join(sender, NULL);
    wi_poll();
}

alone(system_calls_go_on_unless_the_handler_before_wanted_them_interrupted) {
    expect(pipe(pipe_ends) == 0);
    expect_count(interrupted_in(read_through), SIGTERM);
    expect_count(caught_signal, 1);
    struct sigaction old = {.sa_handler = old_handler};
    sigaction(SIGTERM, &old, NULL);
    expect_count(interrupted_in(read_through), SIGTERM);
    expect_count(caught_signal, -1);
}

/* ---- a second signal ---- */

static void second_of_another_kind(void) {
    within (wi_interrupts()) {
        raise(SIGTERM);
        raise(SIGINT);
        leave("reached", "no");
        wi_poll();
    }
}
static void second_a_while_later(void) {
    within (wi_interrupts()) {
        raise(SIGTERM);
        spend_ms(150);
        raise(SIGTERM);
        leave("reached", "no");
    }
}
static void second_while_unwinding(void) {
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    wi_try {
        within (wi_interrupts()) one_signal();
    } wi_catch (WI_INTERRUPTED, error) {
        spend_ms(150);
        raise(SIGTERM);
        leave("reached", "no");
    }
}

alone(a_second_signal_acts_at_once) {
    expect_ended_by(second_of_another_kind, SIGINT);
    expect_ended_by(second_a_while_later, SIGTERM);
    expect_ended_by(second_while_unwinding, SIGTERM);
    expect(!exists("reached"));
}

static void twice_in_a_moment(void) {
    raise(SIGTERM);
    raise(SIGTERM);
    wi_try
        wi_poll();
    wi_catch (WI_INTERRUPTED, error) {
        raise(SIGTERM);
        caught++;
    }
    wi_poll();
}

static void one_of_two(void) {
    expect_count(interrupted_in(twice_in_a_moment), 0);
    expect_count(caught, 1);
    wi__profile profile = own_profile();
    expect_count(profile.header.interruption.count, 3);
    wi__profile_release(&profile);
}

alone(the_same_signal_twice_in_a_moment_is_one) { expect_done_in_a_moment(one_of_two); }

static void twice_outside(void) {
    wi_try {
        within (wi_interrupts()) one_signal();
    } wi_catch (WI_INTERRUPTED, error) {
        raise(SIGTERM); /* sent to the group too: the handler is still there */
        caught++;
        expect(!is_default(SIGTERM) && is_default(SIGINT));
    }
    expect_count(caught, 1);
    expect(is_default(SIGTERM));
}

alone(the_handler_stays_until_the_error_has_ended) { expect_done_in_a_moment(twice_outside); }

static void second_chained(void) {
    raise(SIGTERM);
    spend_ms(150);
    raise(SIGTERM);
    expect_count(old_calls, 2);
    wi_poll();
}

alone(of_a_second_signal_the_handler_before_decides) {
    signal(SIGTERM, old_handler);
    expect_count(interrupted_in(second_chained), SIGTERM);
}

/* ---- fork ---- */

static void wait_in_child(void) {
    pid_t child = fork();
    if (child == 0) {
        sigset_t blocked;
        expect(is_default(SIGTERM) && is_default(SIGINT));
        sigprocmask(SIG_BLOCK, NULL, &blocked);
        for (int number = 1; number < 32; number++) expect(!sigismember(&blocked, number));
        leave("ready", "x");
        for (;;) wi_poll();
    }
    while (!exists("ready")) usleep(1000);
    kill(child, SIGTERM);
    int status;
    waitpid(child, &status, 0);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    expect(!is_default(SIGTERM));
    one_signal();
}

alone(a_forked_child_has_the_old_handlers_and_nothing_blocked) {
    expect_count(interrupted_in(wait_in_child), SIGTERM);
}

static void fork_when_due(void) {
    raise(SIGTERM);
    pid_t child = fork();
    if (child == 0) {
        wi_poll(); /* its parent's signal */
        measure("child");
        return;
    }
    int status;
    waitpid(child, &status, 0);
    expect_count(status, 0);
    wi_poll();
}

alone(a_signal_before_the_fork_is_not_the_childs) {
    pid_t self = getpid();
    int number = interrupted_in(fork_when_due);
    if (getpid() != self) _exit(number);
    expect_count(number, SIGTERM);
}

static void block_in_child(void) {
    pid_t child = fork();
    if (child == 0) {
        expect_count(interrupted_in(one_signal), SIGTERM);
        wi__end_by_signal(SIGTERM);
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

alone(a_child_may_have_blocks_of_its_own) { expect_count(interrupted_in(block_in_child), 0); }

static void fork_before_the_end(void) {
    wi__end_by_signal(SIGTERM);
    pid_t child = fork();
    if (child == 0) exit(5);
    int status;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

alone(a_child_does_not_end_by_its_parents_signal) { expect_ended_by(fork_before_the_end, SIGTERM); }

static void run_a_program(void) {
    int status = system("kill -TERM $$; exit 3");
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

alone(a_program_started_inside_ends_by_its_signal) {
    expect_count(interrupted_in(run_a_program), 0);
}

/* ---- the end of the process ---- */

static void note_atexit(void) { leave("order", "atexit "); }
wi_generator(noted, const char *name) {
    wi_begin;
    wi_yield;
    leave("order", self->name);
}
static void end_uncaught(void) {
    atexit(note_atexit);
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    FILE *file = fopen("buffered", "w");
    fputs("flushed", file);
    within (wi_make(noted, .name = "outer "))
        within (wi_interrupts())
            within (wi_make(noted, .name = "inner ")) one_signal();
}

alone(uncaught_all_blocks_are_released_and_the_process_ends_by_the_signal) {
    char said[400] = "";
    expect_ended_by(end_uncaught, SIGTERM);
    expect_left("order", "inner outer atexit ");
    expect_left("buffered", "flushed");
    int file = open("said", O_RDONLY);
    expect(read(file, said, sizeof said - 1) > 0);
    expect(strncmp(said,
                   "within: interrupted, all blocks of the thread released\n"
                   "WI_INTERRUPTED: SIGTERM from process ",
                   92) == 0);
}

static void end_blocked(void) {
    sigset_t all;
    sigfillset(&all);
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    within (wi_interrupts(.signals = {SIGUSR2})) {
        raise(SIGUSR2);
        sigprocmask(SIG_BLOCK, &all, NULL);
        wi_poll();
    }
}

alone(also_when_the_program_has_blocked_it) { expect_ended_by(end_blocked, SIGUSR2); }

static void exit_when_due(void) {
    atexit(note_atexit);
    within (wi_make(noted, .name = "outer "))
        within (wi_interrupts()) {
            raise(SIGTERM);
            exit(0);
        }
}

alone(exit_in_the_block_goes_to_its_end_and_then_ends_by_the_signal) {
    expect_ended_by(exit_when_due, SIGTERM);
    expect_left("order", "outer atexit ");
}

static void fail_while_interrupted(void) {
    dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
    within (stack, wi_exit_stack()) {
        wi_stack_callback(stack, exit_raises, NULL);
        within (wi_interrupts()) one_signal();
    }
}

alone(what_fails_on_the_way_out_is_told_by_the_status) {
    int status = status_of(fail_while_interrupted);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* ---- nested, left in any order ---- */

alone(nested_blocks_may_be_left_in_any_order) {
    for (int order = 0; order < 6; order++) {
        static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        wi_exit_stack stacks[3];
        signal(SIGTERM, old_handler);
        for (int i = 0; i < 3; i++) {
            stacks[i] = wi_exit_stack();
            wi_stack_enter(&stacks[i], wi_interrupts(.signals = {SIGTERM, i ? SIGUSR2 : SIGHUP}));
        }
        for (int i = 0; i < 3; i++) {
            expect(action_of(SIGTERM).sa_handler != old_handler);
            expect_count(interruption_of(call_body, (void *)one_signal), SIGTERM);
            wi_stack_close(&stacks[orders[order][i]]);
        }
        expect(action_of(SIGTERM).sa_handler == old_handler);
        expect(is_default(SIGHUP) && is_default(SIGUSR2));
    }
}

static wi_exit_stack handed_over;
static void *close_it(void *unused) {
    wi_stack_close(&handed_over);
    return unused;
}

alone(a_block_may_be_closed_by_another_thread) {
    handed_over = wi_exit_stack();
    wi_stack_enter(&handed_over, wi_interrupts());
    in_thread(close_it, NULL);
    expect(is_default(SIGTERM));
    wi_poll();
}

/* ---- foreign ---- */

static wi_interrupts foreign;
BODY(enter_foreign) { foreign.protocol->enter(&foreign); }
static void measure_in_c(void) { measure("in C"); }
BODY(exit_foreign) { foreign.protocol->exit(&foreign, WI_END, NULL); }

alone(for_a_foreign_block_safe_points_raise_only_above_a_landing) {
    wi_error *error;
    wi__interruption what;
    foreign = wi_interrupts(.foreign = 1, .grace_s = 10);
    expect(wi_call(enter_foreign, NULL, &error));
    expect_count(wi__interrupts_pending(&foreign, &what), 0);
    raise(SIGTERM);
    wi_poll();
    measure("no landing");
    expect_count(wi__interrupts_pending(&foreign, &what), SIGTERM);
    expect_count(what.signal, SIGTERM);
    expect_count(what.sender, getpid());
    expect(what.left_s > 9 && what.left_s <= 10 && what.age_s < 1);
    expect_count(interruption_of(call_body, (void *)measure_in_c), SIGTERM);
    expect_count(wi__interrupts_pending(&foreign, NULL), 0);
    expect(wi_call(exit_foreign, NULL, &error));
    expect(is_default(SIGTERM));
}

alone(a_landing_further_out_than_the_foreign_block_is_none) {
    wi_error *error;
    foreign = wi_interrupts(.foreign = 1);
    wi_try {
        expect(wi_call(enter_foreign, NULL, &error));
        raise(SIGTERM);
        wi_poll();
        wi__interrupts_seen(&foreign);
    } wi_catch (WI_INTERRUPTED, unexpected) {
        expect(0);
    }
    expect(wi_call(exit_foreign, NULL, &error));
    expect(is_default(SIGTERM));
}

alone(what_a_foreign_block_has_seen_is_being_worked_off_until_it_says_so) {
    wi_error *error;
    foreign = wi_interrupts(.foreign = 1);
    expect(wi_call(enter_foreign, NULL, &error));
    for (int i = 0; i < 3; i++) {
        raise(SIGTERM);
        wi__interrupts_seen(&foreign);
        expect_count(wi_interrupted(), SIGTERM);
        expect_count(wi__interrupt_is_due, 0);
        wi__interrupts_over(&foreign);
        wi__interrupts_over(&foreign);
        expect_count(wi_interrupted(), 0);
    }
    raise(SIGINT);
    wi__interrupts_seen(&foreign);
    expect(wi_call(exit_foreign, NULL, &error));
    expect(is_default(SIGINT));
}

alone(an_unseen_signal_is_raised_at_the_foreign_blocks_end) {
    wi_error *error;
    foreign = wi_interrupts(.foreign = 1);
    expect(wi_call(enter_foreign, NULL, &error));
    raise(SIGTERM);
    expect_count(interruption_of(exit_foreign, NULL), SIGTERM);
}

/* ---- the record ---- */

alone(the_record_has_the_signal_and_what_is_known_of_it) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t before = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    within (wi_interrupts(.grace_s = 12.5)) {
        raise(SIGUSR1);
        wi__profile profile = own_profile();
        const wi__interruption_note *note = &profile.header.interruption;
        expect_count(note->signal, SIGUSR1);
        expect_count(note->raised_ns, 0);
        expect(note->grace_s == 12.5 && note->came_ns >= before);
        expect_text(open_in(&profile), "signals SIGINT SIGUSR1 SIGTERM");
        wi__profile_release(&profile);
        wi_try
            wi_poll();
        wi_catch (WI_INTERRUPTED, error)
            caught++;
    }
    wi__profile profile = own_profile();
    const wi__interruption_note *note = &profile.header.interruption;
    expect_count(note->signal, SIGUSR1);
    expect_count(note->sender, getpid());
    expect_count(note->count, 1);
    expect(note->raised_ns >= note->came_ns && note->came_ns - before < 10000000000u);
    expect(note->grace_s == 12.5);
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(ignored_signals_stay_ignored),
        test(named_signals_are_taken_ignored_or_not_and_no_others),
        test(a_block_may_take_none_because_all_are_ignored),
        test(what_cannot_be_taken_is_refused_and_nothing_is_changed),
        test(a_block_that_is_open_cannot_be_entered),
        test(the_handler_before_is_called_and_put_back_as_it_was),
        test(a_handler_before_that_wants_to_know_who_sent_it_is_told),
        test(a_handler_that_came_over_ours_is_called_by_the_next_block),
        test(system_calls_go_on_unless_the_handler_before_wanted_them_interrupted),
        test(a_second_signal_acts_at_once),
        test(the_same_signal_twice_in_a_moment_is_one),
        test(the_handler_stays_until_the_error_has_ended),
        test(of_a_second_signal_the_handler_before_decides),
        test(a_forked_child_has_the_old_handlers_and_nothing_blocked),
        test(a_signal_before_the_fork_is_not_the_childs),
        test(a_child_may_have_blocks_of_its_own),
        test(a_child_does_not_end_by_its_parents_signal),
        test(a_program_started_inside_ends_by_its_signal),
        test(uncaught_all_blocks_are_released_and_the_process_ends_by_the_signal),
        test(also_when_the_program_has_blocked_it),
        test(exit_in_the_block_goes_to_its_end_and_then_ends_by_the_signal),
        test(what_fails_on_the_way_out_is_told_by_the_status),
        test(nested_blocks_may_be_left_in_any_order),
        test(a_block_may_be_closed_by_another_thread),
        test(for_a_foreign_block_safe_points_raise_only_above_a_landing),
        test(a_landing_further_out_than_the_foreign_block_is_none),
        test(what_a_foreign_block_has_seen_is_being_worked_off_until_it_says_so),
        test(an_unseen_signal_is_raised_at_the_foreign_blocks_end),
        test(the_record_has_the_signal_and_what_is_known_of_it),
    };
    return cmocka_run_group_tests_name("interrupt signals", tests, NULL, NULL);
}
