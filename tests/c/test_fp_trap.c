/* wi_fp_guard with .trap and .locate: SIGFPE becomes an error at the instruction, or a place; others' signals do not. */
#include "fp_helpers.h"

#include <sys/resource.h>

#include "manage/code_place.h"

/* TSan takes every handler for one that interrupts anything. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "report_signal_unsafe=0"; }

/* Where traps are not to be had: the guard says so, and there is nothing else to test. */
static void trap_nothing(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .trap = 1)) continue;
}
static int can_trap(void) {
    wi_error *error = error_of(trap_nothing, NULL);
    if (!error) return 1;
    expect_text(wi_error_message(error),
                "fp_guard: this processor cannot trap invalid operation, division by zero and "
                "overflow: Operation not supported");
    wi_error_free(error);
    return 0;
}
#define trapping(name)                                                                             \
    static void name##_trapping(void);                                                             \
    alone(name) {                                                                                  \
        if (can_trap()) name##_trapping();                                                         \
    }                                                                                              \
    static void name##_trapping(void)

/* Does the text begin so, and go on with an offset and the program's name? (Compilers make parts of functions.) */
static void expect_place(const wi_error *error, const char *begin) {
    char text[WI__CODE_PLACE + 128];
    snprintf(text, sizeof text, "%s", error ? wi_error_message(error) : "nothing was raised");
    expect_that(strncmp(text, begin, strlen(begin)) == 0, begin, "not the begin of: %s", text);
    expect_that(strstr(text, "+0x") && strstr(text, " (test_fp_trap)"), begin, "no place: %s",
                text);
}

/* ---- at the instruction ---- */

static volatile int went_on;
static pthread_barrier_t both;

NOINLINE static double quotient(double a, double b) { return a / b; }
NOINLINE static void divide_in_a_function(void) {
    result = quotient(one, zero);
    went_on = 1;
}
static void trap_division(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .trap = 1)) divide_in_a_function();
}

trapping(the_error_is_raised_at_the_instruction_with_its_place) {
    wi_error *error = error_of(trap_division, NULL);
    expect_place(error, "fp_guard: division by zero in quotient");
    expect(wi_error_is(error, WI_FLOATING_POINT_ERROR));
    expect_text(wi_error_place(error)->function, "trap_division");
    expect_text(wi_error_trail(error, 0)->manager, "fp_guard");
    wi_error_free(error);
    expect(!went_on);
    expect_text(flags(), "");
}

NOINLINE static void divide_all(double *restrict out, const double *restrict a,
                                const double *restrict b, int n) {
    for (int i = 0; i < n; i++) out[i] = a[i] / b[i];
}
static double numbers[3][64];
static void trap_loop(void *unused) {
    (void)unused;
    for (int i = 0; i < 64; i++) numbers[0][i] = numbers[1][i] = i + 1;
    numbers[0][37] = numbers[1][37] = 0;
    within (wi_fp_guard(FE_INVALID, .trap = 1)) divide_all(numbers[2], numbers[0], numbers[1], 64);
}
static void trap_overflow(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_OVERFLOW, .trap = 1)) overflow();
}
static void trap_underflow(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_UNDERFLOW, .trap = 1)) underflow();
}
static void trap_inexact(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_INEXACT, .trap = 1)) be_inexact();
}
static void trap_in_libm(void *unused) {
    (void)unused;
    static double (*volatile exponential)(double) = exp;
    within (wi_fp_guard(FE_OVERFLOW, .trap = 1)) result = exponential(1e4);
}

trapping(it_traps_every_flag_in_every_code) {
    wi_error *error = error_of(trap_loop, NULL);
    expect_place(error, "fp_guard: invalid operation in divide_all");
    wi_error_free(error);
    error = error_of(trap_overflow, NULL);
    expect_place(error, "fp_guard: overflow in overflow");
    wi_error_free(error);
    error = error_of(trap_underflow, NULL);
    expect_place(error, "fp_guard: underflow in underflow");
    wi_error_free(error);
    error = error_of(trap_inexact, NULL);
    expect_place(error, "fp_guard: inexact result in be_inexact");
    wi_error_free(error);
    error = error_of(trap_in_libm, NULL);
    expect(error && strstr(wi_error_message(error), "fp_guard: overflow in "));
    expect(strstr(wi_error_message(error), "libm"));
    wi_error_free(error);
}

#if defined(__x86_64__)
static void trap_long(void *unused) {
    (void)unused;
    static volatile long double nothing = 0, something = 1;
    within (wi_fp_guard(FE_DIVBYZERO, .trap = 1)) {
        volatile long double quotient = something / nothing;
        volatile long double sum = quotient + 1;
        (void)sum;
        went_on = 1;
    }
}
trapping(x87_arithmetic_traps_at_its_next_instruction) {
    wi_error *error = error_of(trap_long, NULL);
    expect_place(error, "fp_guard: division by zero in trap_long");
    wi_error_free(error);
    expect(!went_on);
    volatile long double after = (volatile long double){1} / (volatile long double){0};
    expect(after > 1);
}
#endif

trapping(a_hundred_traps_leave_nothing_behind) {
    for (int i = 0; i < 100; i++) {
        wi_error *error = error_of(i % 2 ? trap_division : trap_loop, NULL);
        expect(error != NULL);
        wi_error_free(error);
    }
    divide(); /* does not trap any more */
    expect_text(flags(), "d");
}

/* ---- exits, and what is around ---- */

typedef struct divider {
    const wi_protocol *protocol;
} divider;
static wi_verdict divider_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    static volatile long double something = 1, nothing, quotient, sum;
    divide();
    quotient = something / nothing; /* of x87, on x86 */
    sum = quotient + 1;
    (void)sum;
    went_on++;
    return WI_PROPAGATE;
}
static const wi_protocol divider_protocol = {"divider", NULL, divider_exit, NULL};

static void trap_in_blocks(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .trap = 1))
        within (wi_make(divider))
            within (wi_make(divider)) make_nan();
}

static wi_verdict dividing_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    divide_in_a_function();
    return WI_PROPAGATE;
}
static const wi_protocol dividing_protocol = {"dividing", NULL, dividing_exit, NULL};
static void trap_in_an_exit(void *unused) {
    (void)unused;
    within (wi_interrupts()) {
        within (wi_fp_guard(USUAL, .trap = 1)) {
            within ((wi_manager){&dividing_protocol}) continue;
        }
    }
}

/* While interrupts are open, the chain of blocks has marks in exits. */
trapping(an_exit_in_interrupts_traps_at_the_instruction_too) {
    wi_error *error = error_of(trap_in_an_exit, NULL);
    expect_place(error, "fp_guard: division by zero in quotient");
    wi_error_free(error);
    expect(!went_on);
}

trapping(exits_do_not_trap_once_the_error_is_raised) {
    wi_error *error = error_of(trap_in_blocks, NULL);
    expect_place(error, "fp_guard: invalid operation in make_nan");
    expect_count(went_on, 2);
    wi_error_free(error);
}

static void modes_around_a_trap(void *unused) {
    (void)unused;
    within (wi_rounding(FE_UPWARD))
        within (wi_flush_denormals(1))
            within (wi_fp_guard(USUAL, .trap = 1))
                within (wi_rounding(FE_DOWNWARD)) divide();
}
static void check_then_go_on(void *unused) {
    within (wi_rounding(FE_TOWARDZERO)) {
        wi_error_free(error_of(modes_around_a_trap, unused));
        expect_count(fegetround(), FE_TOWARDZERO);
    }
}

static void divide_as_body(void *unused) {
    (void)unused;
    divide();
}

trapping(a_handler_inside_finds_the_modes_of_its_block) {
    within (wi_rounding(FE_UPWARD))
        within (wi_fp_guard(USUAL, .trap = 1)) {
            wi_error_free(error_of(divide_as_body, NULL));
            expect_count(fegetround(), FE_UPWARD);
        }
}

trapping(modes_are_put_back_after_a_trap) {
    check_then_go_on(NULL);
    expect_count(fegetround(), FE_TONEAREST);
    expect((volatile double){2e-308} / 4 > 0);
}

static void handle_inside(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .trap = 1)) {
        wi_error_free(error_of(divide_as_body, NULL));
        if (unused) make_nan();
    }
}

trapping(after_the_first_flags_are_reported_at_the_end) {
    expect(error_of(handle_inside, NULL) == NULL);
    wi_error *error = error_of(handle_inside, &both);
    expect_text(wi_error_message(error), "fp_guard: invalid operation in this block");
    wi_error_free(error);
}

static void masked_inside(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .trap = 1)) {
        within (wi_fp_guard(FE_DIVBYZERO)) {
            divide();
            went_on++;
        }
        went_on++;
    }
}
static void other_inside(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_INVALID, .trap = 1))
        within (wi_fp_guard(FE_DIVBYZERO, .trap = 1)) make_nan();
}
static void outer_after_inner(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .trap = 1)) {
        wi_error_free(error_of(trap_division, NULL));
        divide();
        went_on++;
    }
}

trapping(the_innermost_guard_that_looks_for_a_flag_has_it) {
    wi_error *error = error_of(masked_inside, NULL);
    expect_text(wi_error_message(error), "fp_guard: division by zero in this block");
    expect_count(went_on, 1);
    wi_error_free(error);
    error = error_of(other_inside, NULL);
    expect_text(wi_error_place(error)->function, "other_inside");
    expect_count(wi_error_trail_length(error), 2);
    wi_error_free(error);
    error = error_of(outer_after_inner, NULL);
    expect_place(error, "fp_guard: division by zero in divide");
    expect_count(went_on, 1);
    wi_error_free(error);
}

/* ---- located ---- */

static void locate_division(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL, .locate = 1)) {
        divide_in_a_function();
        make_nan();
        expect(isnan(result));
    }
}

trapping(located_the_block_goes_on_and_its_error_tells_the_place) {
    wi_error *error = error_of(locate_division, NULL);
    expect_place(
        error, "fp_guard: invalid operation and division by zero in this block, first in quotient");
    expect(went_on);
    wi_error_free(error);
    divide();
}

static void trap_in_a_stack(void *unused) {
    (void)unused;
    within (stack, wi_exit_stack()) {
        wi_stack_enter(stack, wi_fp_guard(USUAL, .trap = 1));
        divide();
        went_on++;
    }
}

trapping(in_an_exit_stack_the_error_is_raised_at_its_end) {
    wi_error *error = error_of(trap_in_a_stack, NULL);
    expect_place(error, "fp_guard: division by zero in this block, first in divide");
    expect_count(went_on, 1);
    wi_error_free(error);
    divide();
}

/* ---- SIGFPE ---- */

static sigjmp_buf before_the_signal;
static volatile int heard;
static void hear_signal(int signal) {
    heard = signal;
    siglongjmp(before_the_signal, 1);
}
static void only_count(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    heard += info->si_code <= 0;
}

static void *handler_of_sigfpe(void) {
    struct sigaction now;
    sigaction(SIGFPE, NULL, &now);
    return (void *)now.sa_handler;
}

trapping(the_handler_from_before_gets_what_is_not_a_guards) {
    if (UNDER_TSAN) return; /* it has a handler and a thread of its own */
    struct sigaction theirs = {.sa_flags = SA_SIGINFO};
    theirs.sa_sigaction = only_count;
    sigaction(SIGFPE, &theirs, NULL);
    void *before = handler_of_sigfpe();
    within (wi_fp_guard(USUAL, .trap = 1)) {
        expect(handler_of_sigfpe() != before);
        raise(SIGFPE);
    }
    expect_count(heard, 1);
    expect(handler_of_sigfpe() == before);
    wi_error *error = error_of(trap_division, NULL);
    expect_place(error, "fp_guard: division by zero in quotient");
    wi_error_free(error);
    expect(handler_of_sigfpe() == before);
}

#if defined(__x86_64__)
trapping(division_of_integers_is_not_the_guards) {
    if (UNDER_TSAN) return;
    static volatile int nothing;
    signal(SIGFPE, hear_signal);
    within (wi_fp_guard(USUAL, .trap = 1)) {
        if (sigsetjmp(before_the_signal, 1) == 0) {
            int quotient, rest;
            __asm__ volatile("cltd; idivl %2" : "=a"(quotient), "=&d"(rest) : "r"(nothing), "0"(1));
        }
    }
    expect_count(heard, SIGFPE);
}

static void divide_integers(void) {
    static const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGFPE, SIG_DFL);
    static volatile int nothing;
    within (wi_fp_guard(USUAL, .trap = 1)) {
        int quotient, rest;
        __asm__ volatile("cltd; idivl %2" : "=a"(quotient), "=&d"(rest) : "r"(nothing), "0"(1));
    }
}
static void send_signal(void) {
    signal(SIGFPE, SIG_DFL);
    within (wi_fp_guard(USUAL, .trap = 1)) raise(SIGFPE);
}
trapping(without_one_the_signal_ends_the_process) {
    expect_count(WTERMSIG(status_of(divide_integers)), SIGFPE);
    expect_count(WTERMSIG(status_of(send_signal)), SIGFPE);
}
#endif

trapping(a_signal_that_was_ignored_is_ignored) {
    if (UNDER_TSAN) return; /* it has a handler and a thread of its own */
    signal(SIGFPE, SIG_IGN);
    within (wi_fp_guard(USUAL, .trap = 1)) raise(SIGFPE);
    expect(handler_of_sigfpe() == (void *)SIG_IGN);
}

trapping(a_handler_set_in_the_block_stays) {
    within (wi_fp_guard(USUAL, .trap = 1)) signal(SIGFPE, hear_signal);
    expect(handler_of_sigfpe() == (void *)hear_signal);
}

static void *divide_there(void *unused) {
    divide();
    return unused;
}

trapping(what_the_program_itself_lets_trap_is_its_own) {
    struct sigaction theirs = {.sa_flags = SA_NODEFER};
    theirs.sa_handler = hear_signal;
    sigaction(SIGFPE, &theirs, NULL);
    feenableexcept(FE_DIVBYZERO);
    within (wi_fp_guard(FE_INVALID, .trap = 1))
        if (sigsetjmp(before_the_signal, 1) == 0) divide();
    expect_count(heard, SIGFPE);
    fedisableexcept(FE_ALL_EXCEPT);
}

/* ---- threads ---- */

trapping(a_thread_that_is_not_guarded_is_not_caught) {
    within (wi_fp_guard(USUAL, .trap = 1)) in_thread(divide_there, NULL);
}

static void *divide_later(void *unused) {
    pthread_barrier_wait(&both);
    divide();
    return unused;
}

trapping(a_thread_that_was_started_in_a_block_may_outlive_it) {
    if (UNDER_TSAN) return; /* it has a handler and a thread of its own */
    signal(SIGFPE, SIG_DFL);
    pthread_barrier_init(&both, NULL, 2);
    pthread_t thread = 0;
    within (wi_fp_guard(USUAL, .trap = 1)) thread = start(divide_later, NULL);
    pthread_barrier_wait(&both);
    pthread_join(thread, NULL);
    wait_for_threads(1);
    trap_nothing(NULL);
    expect(handler_of_sigfpe() == (void *)SIG_DFL);
}

static void *trap_often(void *unused) {
    for (int i = 0; i < 200; i++) {
        wi_error *error = error_of(trap_division, NULL);
        expect(error != NULL);
        wi_error_free(error);
    }
    return unused;
}

trapping(threads_trap_for_themselves) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(trap_often, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

trapping(a_child_traps_for_itself) {
    pid_t child = -1;
    within (wi_fp_guard(USUAL, .trap = 1)) {
        fflush(NULL);
        child = fork();
        if (child == 0) {
            wi_error_free(error_of(divide_as_body, NULL));
            _exit(went_on);
        }
        expect_count(exit_of(child), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        clean_test(the_error_is_raised_at_the_instruction_with_its_place),
        clean_test(it_traps_every_flag_in_every_code),
#if defined(__x86_64__)
        clean_test(x87_arithmetic_traps_at_its_next_instruction),
        clean_test(division_of_integers_is_not_the_guards),
        clean_test(without_one_the_signal_ends_the_process),
#endif
        clean_test(a_hundred_traps_leave_nothing_behind),
        clean_test(an_exit_in_interrupts_traps_at_the_instruction_too),
        clean_test(exits_do_not_trap_once_the_error_is_raised),
        clean_test(a_handler_inside_finds_the_modes_of_its_block),
        clean_test(modes_are_put_back_after_a_trap),
        clean_test(after_the_first_flags_are_reported_at_the_end),
        clean_test(the_innermost_guard_that_looks_for_a_flag_has_it),
        clean_test(located_the_block_goes_on_and_its_error_tells_the_place),
        clean_test(in_an_exit_stack_the_error_is_raised_at_its_end),
        clean_test(the_handler_from_before_gets_what_is_not_a_guards),
        clean_test(a_signal_that_was_ignored_is_ignored),
        clean_test(what_the_program_itself_lets_trap_is_its_own),
        clean_test(a_handler_set_in_the_block_stays),
        clean_test(a_thread_that_is_not_guarded_is_not_caught),
        clean_test(a_thread_that_was_started_in_a_block_may_outlive_it),
        clean_test(threads_trap_for_themselves),
        clean_test(a_child_traps_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
