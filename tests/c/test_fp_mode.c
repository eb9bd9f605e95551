/* wi_rounding and wi_flush_denormals: how a block's arithmetic is done, and that all is put back. */
#include "fp_helpers.h"

#include <float.h>

/* A third, rounded. */
static double third(void) { return one / (volatile double){3}; }
static double upper, lower;

static void find_thirds(void) {
    within (wi_rounding(FE_UPWARD)) upper = third();
    within (wi_rounding(FE_DOWNWARD)) lower = third();
}

/* ---- rounding ---- */

alone(a_block_rounds_in_its_direction) {
    find_thirds();
    expect(lower < upper && nextafter(lower, 1) == upper);
    expect(third() == 1.0 / 3);
    within (wi_rounding(FE_TOWARDZERO)) expect(third() == lower && -third() == -lower);
    within (wi_rounding(FE_UPWARD)) {
        expect_count(fegetround(), FE_UPWARD);
        within (wi_rounding(FE_TONEAREST)) expect_count(fegetround(), FE_TONEAREST);
        expect_count(fegetround(), FE_UPWARD);
    }
    expect_count(fegetround(), FE_TONEAREST);
}

static void round_wrongly(void *unused) {
    (void)unused;
    within (wi_rounding(7)) continue;
}
static void round_twice(void *rounding) {
    within ((wi_rounding *)rounding)
        within ((wi_rounding *)rounding) continue;
}

alone(what_is_no_direction_is_refused) {
    expect_raised(round_wrongly, NULL, WI_VALUE_ERROR,
                  "rounding: 7 is none of FE_TONEAREST, FE_UPWARD, FE_DOWNWARD and FE_TOWARDZERO");
    wi_rounding rounding = wi_rounding(FE_UPWARD);
    expect_raised(round_twice, &rounding, WI_USAGE_ERROR,
                  "rounding: it is in a block already; use one for each block");
    expect_count(fegetround(), FE_TONEAREST);
}

/* ---- denormals ---- */

static double half_of_smallest(void) { return DBL_MIN * (volatile double){0.5}; }
static volatile double denormal = DBL_MIN / 4;

alone(a_block_flushes_denormals_or_not) {
    expect(half_of_smallest() > 0);
    within (wi_flush_denormals(1)) {
        expect(half_of_smallest() == 0);
        expect(denormal * 8 == 0);
        within (wi_flush_denormals(0)) expect(half_of_smallest() > 0 && denormal * 8 > 0);
        expect(half_of_smallest() == 0);
    }
    expect(half_of_smallest() > 0 && denormal * 8 > 0);
}

static void flush_twice(void *flush) {
    within ((wi_flush_denormals *)flush)
        within ((wi_flush_denormals *)flush) continue;
}

alone(a_manager_that_is_in_a_block_is_refused_another) {
    wi_flush_denormals flush = wi_flush_denormals(1);
    expect_raised(flush_twice, &flush, WI_USAGE_ERROR,
                  "flush_denormals: it is in a block already; use one for each block");
    expect(half_of_smallest() > 0);
}

/* ---- put back ---- */

static void return_from_both(void) {
    within (wi_rounding(FE_UPWARD))
        within (wi_flush_denormals(1)) return;
}
static void raise_in_both(void *unused) {
    (void)unused;
    within (wi_rounding(FE_UPWARD))
        within (wi_flush_denormals(1)) wi_raise(WI_VALUE_ERROR, "enough");
}

static int is_usual(void) {
    return fegetround() == FE_TONEAREST && half_of_smallest() > 0 && third() == 1.0 / 3;
}

alone(all_is_as_it_was_on_every_way_out) {
    return_from_both();
    expect(is_usual());
    expect_raised(raise_in_both, NULL, WI_VALUE_ERROR, "enough");
    expect(is_usual());
    jmp_buf env;
    wi_mark mark = wi_here();
    if (setjmp(env) == 0)
        within (wi_rounding(FE_DOWNWARD)) wi_longjmp(env, 1, mark);
    expect(is_usual());
}

#if defined(__x86_64__)
#include <xmmintrin.h>

alone(each_unit_of_x86_is_as_it_was) {
    _mm_setcsr((_mm_getcsr() & ~0x6000u) | 0x2000); /* SSE alone rounds down, and traps nothing */
    unsigned before = _mm_getcsr() & ~0x3fu;
    within (wi_rounding(FE_UPWARD)) {
        expect_count(_mm_getcsr() & 0x6000, 0x4000);
        expect_count(fegetround(), FE_UPWARD); /* it looks at x87 */
    }
    expect_count(_mm_getcsr() & ~0x3fu, before);
    expect_count(fegetround(), FE_TONEAREST);
}
#endif

alone(what_a_block_does_to_other_bits_stays) {
    within (wi_flush_denormals(1)) fesetround(FE_UPWARD);
    expect_count(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    make_nan();
    within (wi_rounding(FE_UPWARD)) overflow();
    expect_text(flags(), "iox");
}

/* ---- any order ---- */

enum { BLOCKS = 5 };

/* The innermost open block of each kind is in force. */
static void check_modes(wi_exit_stack stacks[BLOCKS]) {
    static const int directions[BLOCKS] = {FE_UPWARD, 0, FE_DOWNWARD, 0, FE_TOWARDZERO};
    int direction = FE_TONEAREST, flushed = 0;
    for (int i = 0; i < BLOCKS; i++) {
        if (!stacks[i].count) continue;
        if (directions[i])
            direction = directions[i];
        else
            flushed = i == 1;
    }
    expect_count(fegetround(), direction);
    expect_count(half_of_smallest() == 0, flushed);
}

static void leave_in_order(const int order[BLOCKS]) {
    wi_exit_stack stacks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) stacks[i] = wi_exit_stack();
    wi_stack_enter(&stacks[0], wi_rounding(FE_UPWARD));
    wi_stack_enter(&stacks[1], wi_flush_denormals(1));
    wi_stack_enter(&stacks[2], wi_rounding(FE_DOWNWARD));
    wi_stack_enter(&stacks[3], wi_flush_denormals(0));
    wi_stack_enter(&stacks[4], wi_rounding(FE_TOWARDZERO));
    for (int i = 0; i < BLOCKS; i++) {
        check_modes(stacks);
        wi_stack_close(&stacks[order[i]]);
    }
    expect(is_usual());
}

static void permute(int order[BLOCKS], int from) {
    if (from == BLOCKS) leave_in_order(order);
    for (int i = from; i < BLOCKS; i++) {
        int swapped = order[i];
        order[i] = order[from], order[from] = swapped;
        permute(order, from + 1);
        order[from] = order[i], order[i] = swapped;
    }
}

alone(blocks_may_end_in_any_order) {
    int order[BLOCKS] = {0, 1, 2, 3, 4};
    permute(order, 0);
}

/* ---- threads and processes ---- */

static void *direction_there(void *unused) { return (void *)(intptr_t)(fegetround() + !!unused); }
static pthread_barrier_t both;
static void *wait_and_look(void *unused) {
    pthread_barrier_wait(&both);
    pthread_barrier_wait(&both);
    return direction_there(unused);
}

alone(a_mode_is_its_threads_and_inherited_by_those_it_starts) {
    pthread_barrier_init(&both, NULL, 2);
    pthread_t older = start(wait_and_look, NULL);
    void *found;
    pthread_barrier_wait(&both);
    within (wi_rounding(FE_UPWARD)) {
        pthread_barrier_wait(&both);
        pthread_join(older, &found);
        expect_count((intptr_t)found, FE_TONEAREST);
        expect_count((intptr_t)in_thread(direction_there, NULL), FE_UPWARD);
    }
}

static wi_exit_stack kept;
static void close_kept(void *unused) {
    (void)unused;
    wi_stack_close(&kept);
}
static void *close_there(void *unused) { return error_of(close_kept, unused); }

alone(a_block_ends_on_its_own_thread) {
    wi_rounding rounding = wi_rounding(FE_UPWARD);
    kept = wi_exit_stack();
    wi_stack_enter(&kept, &rounding);
    wi_error *error = in_thread(close_there, NULL);
    expect_text(
        wi_error_message(error),
        "rounding: its block was entered on another thread, whose arithmetic stays as it is");
    wi_error_free(error);
    expect_count(fegetround(), FE_UPWARD);
}

alone(a_child_has_the_mode_and_puts_it_back_for_itself) {
    pid_t child = 1;
    within (wi_rounding(FE_UPWARD)) {
        fflush(NULL);
        child = fork();
        expect_count(fegetround(), FE_UPWARD);
        if (child) expect_count(exit_of(child), 0);
    }
    expect(is_usual());
}

alone(the_ledger_tells_what_is_on) {
    within (wi_rounding(FE_DOWNWARD))
        within (wi_flush_denormals(1)) {
            wi__profile profile = own_profile();
            expect_text(open_in(&profile), "flush_denormals on, rounding downward");
            wi__profile_release(&profile);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        clean_test(a_block_rounds_in_its_direction),
        clean_test(what_is_no_direction_is_refused),
        clean_test(a_block_flushes_denormals_or_not),
        clean_test(a_manager_that_is_in_a_block_is_refused_another),
        clean_test(all_is_as_it_was_on_every_way_out),
#if defined(__x86_64__)
        clean_test(each_unit_of_x86_is_as_it_was),
#endif
        clean_test(what_a_block_does_to_other_bits_stays),
        clean_test(blocks_may_end_in_any_order),
        clean_test(a_mode_is_its_threads_and_inherited_by_those_it_starts),
        clean_test(a_block_ends_on_its_own_thread),
        clean_test(a_child_has_the_mode_and_puts_it_back_for_itself),
        clean_test(the_ledger_tells_what_is_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
