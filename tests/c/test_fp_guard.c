/* wi_fp_guard: what the block's arithmetic raised becomes its error, and flags outside are as they were. */
#include "fp_helpers.h"

static void nothing(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) continue;
}
static void divide_guarded(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) divide();
}
static void do_all(void *excepts) {
    within (wi_fp_guard(*(int *)excepts)) {
        divide();
        make_nan();
        overflow();
        underflow();
    }
}

/* ---- reported ---- */

alone(a_clean_block_raises_nothing) {
    expect(error_of(nothing, NULL) == NULL);
    expect_text(flags(), "");
}

alone(the_error_names_what_the_arithmetic_raised) {
    static int division = FE_DIVBYZERO, usual = USUAL, rare = FE_UNDERFLOW | FE_INEXACT,
               two = FE_DIVBYZERO | FE_INVALID;
    expect_raised(do_all, &division, WI_FLOATING_POINT_ERROR,
                  "fp_guard: division by zero in this block");
    expect_raised(do_all, &two, WI_FLOATING_POINT_ERROR,
                  "fp_guard: invalid operation and division by zero in this block");
    expect_raised(do_all, &usual, WI_FLOATING_POINT_ERROR,
                  "fp_guard: invalid operation, division by zero and overflow in this block");
    expect_raised(do_all, &rare, WI_FLOATING_POINT_ERROR,
                  "fp_guard: underflow and inexact result in this block");
}

alone(the_error_is_an_arithmetic_error_with_the_blocks_place) {
    wi_error *error = error_of(divide_guarded, NULL);
    expect(wi_error_is(error, WI_ARITHMETIC_ERROR));
    expect_text(wi_error_place(error)->function, "divide_guarded");
    wi_error_free(error);
}

alone(what_the_guard_does_not_look_for_is_no_error) {
    within (wi_fp_guard(FE_OVERFLOW)) {
        divide();
        make_nan();
    }
    expect_text(flags(), "");
}

alone(flags_from_before_are_not_the_blocks) {
    divide();
    expect(error_of(nothing, NULL) == NULL);
    expect_text(flags(), "d");
}

static void guard_nothing(void *unused) {
    (void)unused;
    within (wi_fp_guard(0)) divide();
}
static void guard_else(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_INVALID | 1 << 20)) divide();
}

alone(what_is_no_flag_is_refused_and_changes_nothing) {
    make_nan();
#define NO_SET " is no set of FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW and FE_INEXACT"
    expect_raised(guard_nothing, NULL, WI_VALUE_ERROR, "fp_guard: 0" NO_SET);
    expect_raised(guard_else, NULL, WI_VALUE_ERROR, "fp_guard: 0x100001" NO_SET);
    expect_text(flags(), "i");
}

static void enter_twice(void *guard) {
    within ((wi_fp_guard *)guard)
        within ((wi_fp_guard *)guard) continue;
}

alone(a_guard_that_is_in_a_block_is_refused_another) {
    wi_fp_guard guard = wi_fp_guard(FE_INVALID);
    expect_raised(enter_twice, &guard, WI_USAGE_ERROR,
                  "fp_guard: it is in a block already; use one for each block");
    within (&guard) continue;
}

/* ---- put back ---- */

static int return_guarded(void) {
    within (wi_fp_guard(USUAL)) {
        divide();
        return 1;
    }
    return 0;
}
static void raise_guarded(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) {
        divide();
        wi_raise(WI_VALUE_ERROR, "enough");
    }
}

alone(flags_outside_are_as_they_were_on_every_way_out) {
    overflow();
    expect_text(flags(), "ox");
    expect(error_of(nothing, NULL) == NULL);
    expect_text(flags(), "ox");
    wi_error_free(error_of(divide_guarded, NULL));
    expect_text(flags(), "ox");
    return_guarded();
    expect_text(flags(), "ox");
    wi_error_free(error_of(raise_guarded, NULL));
    expect_text(flags(), "ox");
    jmp_buf env;
    wi_mark mark = wi_here();
    if (setjmp(env) == 0)
        within (wi_fp_guard(USUAL)) {
            divide();
            wi_longjmp(env, 1, mark);
        }
    expect_text(flags(), "ox");
}

#if defined(__x86_64__)
#include <xmmintrin.h>

static unsigned short x87_flags(void) {
    unsigned short status;
    __asm__ volatile("fnstsw %0" : "=a"(status));
    return status & 0x3f;
}

static volatile long double long_zero = 0, long_one = 1, long_result;

static void divide_long_guarded(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) long_result = long_one / long_zero;
}

alone(both_units_of_x86_are_as_they_were) {
    long_result = long_one / long_zero; /* x87 */
    make_nan();                         /* SSE */
    expect_count(x87_flags(), FE_DIVBYZERO);
    expect_count(_mm_getcsr() & 0x3f, FE_INVALID);
    within (wi_fp_guard(USUAL)) {
        expect_text(flags(), "");
        be_inexact();
    }
    expect_count(x87_flags(), FE_DIVBYZERO);
    expect_count(_mm_getcsr() & 0x3f, FE_INVALID);
    feclearexcept(FE_ALL_EXCEPT);
    expect_raised(divide_long_guarded, NULL, WI_FLOATING_POINT_ERROR,
                  "fp_guard: division by zero in this block");
    expect_count(x87_flags(), 0);
}
#endif

/* ---- other ways out ---- */

alone(an_error_that_passes_goes_on) {
    expect_raised(raise_guarded, NULL, WI_VALUE_ERROR, "enough");
}

alone(a_block_that_is_left_early_says_so) {
    hear("said");
    return_guarded();
    expect(strstr(content("said"), "within: fp_guard: division by zero in the block at "));
    expect(strstr(content("said"), "test_fp_guard.c:"));
    expect(strstr(content("said"), ", which was left early: no error is raised\n"));
}

alone(a_block_that_is_left_early_without_a_flag_says_nothing) {
    hear("said");
    for (int i = 0; i < 3; i++)
        within (wi_fp_guard(USUAL)) {
            if (i == 1) goto out;
        }
out:
    expect_text(content("said"), "");
}

/* ---- nested ---- */

static void inner_divides(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) {
        wi_error_free(error_of(divide_guarded, NULL));
    }
}
static void outer_divides(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) {
        divide();
        nothing(NULL);
    }
}
static void inner_looks_elsewhere(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_DIVBYZERO)) {
        within (wi_fp_guard(FE_INVALID)) divide();
        expect_text(flags(), "");
    }
}
static void inner_is_left(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_DIVBYZERO))
        within (wi_fp_guard(FE_INVALID)) return_guarded();
}

alone(what_the_inner_guard_reports_the_outer_does_not_see) {
    expect(error_of(inner_divides, NULL) == NULL);
}

alone(the_outer_guard_sees_its_own) {
    expect_raised(outer_divides, NULL, WI_FLOATING_POINT_ERROR,
                  "fp_guard: division by zero in this block");
}

alone(what_the_inner_guard_does_not_look_for_is_the_outers) {
    expect_raised(inner_looks_elsewhere, NULL, WI_FLOATING_POINT_ERROR,
                  "fp_guard: division by zero in this block");
}

alone(what_an_inner_block_could_not_raise_the_outer_reports) {
    hear("said");
    expect_raised(inner_is_left, NULL, WI_FLOATING_POINT_ERROR,
                  "fp_guard: division by zero in this block");
    expect_text(content("said"), "");
}

/* ---- any order ---- */

static void close_stack(void *stack) { wi_stack_close((wi_exit_stack *)stack); }

alone(guards_may_end_in_any_order) {
    overflow();
    wi_exit_stack outer = wi_exit_stack(), inner = wi_exit_stack();
    wi_stack_enter(&outer, wi_fp_guard(FE_DIVBYZERO));
    divide();
    wi_stack_enter(&inner, wi_fp_guard(FE_INVALID));
    make_nan();
    wi_error *error = error_of(close_stack, &outer);
    expect_text(wi_error_message(error), "fp_guard: division by zero in this block");
    wi_error_free(error);
    expect_text(flags(), "i");
    error = error_of(close_stack, &inner);
    expect_text(wi_error_message(error), "fp_guard: invalid operation in this block");
    wi_error_free(error);
    expect_text(flags(), "ox");
}

/* ---- threads and processes ---- */

static void *divide_there(void *unused) {
    divide();
    return unused;
}
static void thread_divides(void *unused) {
    (void)unused;
    within (wi_fp_guard(USUAL)) in_thread(divide_there, NULL);
}

alone(another_threads_arithmetic_is_not_the_blocks) {
    expect(error_of(thread_divides, NULL) == NULL);
}

static wi_exit_stack kept;
static void *close_there(void *unused) {
    (void)unused;
    return error_of(close_stack, &kept);
}

alone(a_block_ends_on_its_own_thread) {
    kept = wi_exit_stack();
    wi_fp_guard guard = wi_fp_guard(FE_INVALID);
    wi_stack_enter(&kept, &guard);
    wi_error *error = in_thread(close_there, NULL);
    expect_text(
        wi_error_message(error),
        "fp_guard: its block was entered on another thread, whose arithmetic stays as it is");
    expect(wi_error_is(error, WI_USAGE_ERROR));
    wi_error_free(error);
}

static void fork_guarded(void *unused) {
    (void)unused;
    divide();
    within (wi_fp_guard(FE_INVALID)) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            make_nan();
            continue;
        }
        int status;
        waitpid(child, &status, 0);
        expect_count(WEXITSTATUS(status), 7);
    }
}

alone(a_child_and_its_parent_each_have_their_flags) {
    pid_t parent = getpid();
    wi_error *error = error_of(fork_guarded, NULL);
    expect_text(flags(), "d");
    if (getpid() != parent) _exit(error ? 7 : 1);
    expect(error == NULL);
}

/* ---- the ledger ---- */

alone(the_ledger_tells_what_is_guarded) {
    within (wi_fp_guard(FE_INVALID | FE_OVERFLOW)) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "fp_guard invalid operation and overflow");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        clean_test(a_clean_block_raises_nothing),
        clean_test(the_error_names_what_the_arithmetic_raised),
        clean_test(the_error_is_an_arithmetic_error_with_the_blocks_place),
        clean_test(what_the_guard_does_not_look_for_is_no_error),
        clean_test(flags_from_before_are_not_the_blocks),
        clean_test(what_is_no_flag_is_refused_and_changes_nothing),
        clean_test(a_guard_that_is_in_a_block_is_refused_another),
        clean_test(flags_outside_are_as_they_were_on_every_way_out),
#if defined(__x86_64__)
        clean_test(both_units_of_x86_are_as_they_were),
#endif
        clean_test(an_error_that_passes_goes_on),
        clean_test(a_block_that_is_left_early_says_so),
        clean_test(a_block_that_is_left_early_without_a_flag_says_nothing),
        clean_test(what_the_inner_guard_reports_the_outer_does_not_see),
        clean_test(the_outer_guard_sees_its_own),
        clean_test(what_the_inner_guard_does_not_look_for_is_the_outers),
        clean_test(what_an_inner_block_could_not_raise_the_outer_reports),
        clean_test(guards_may_end_in_any_order),
        clean_test(another_threads_arithmetic_is_not_the_blocks),
        clean_test(a_block_ends_on_its_own_thread),
        clean_test(a_child_and_its_parent_each_have_their_flags),
        clean_test(the_ledger_tells_what_is_guarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
