/* Blocks, exit stacks and generator managers against the same calls written by hand. */
#include <within.h>

#include "harness.h"
#include "work.h"

static const wi_protocol holder_protocol = {"holder", work_hold, work_let_go, NULL};
static const wi_protocol nothing_protocol = {"nothing", work_enter_nothing, work_exit_nothing,
                                             NULL};
typedef wi_manager nothing;

static long held;

/* Something may happen in here: without it compilers leave out what only the body could see. */
#define BODY __asm__ volatile("" ::: "memory")

static void blocks_of_nothing(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(nothing)) BODY;
    }
}

static void nothing_by_hand(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        nothing self = {&nothing_protocol};
        work_enter_nothing(&self);
        BODY;
        work_exit_nothing(&self, WI_END, NULL);
    }
}

static void blocks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(holder, .held = &held)) BODY;
    }
}

static void by_hand(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        holder self = {&holder_protocol, &held};
        work_hold(&self);
        BODY;
        work_let_go(&self, WI_END, NULL);
    }
}

wi_generator(yielding, long *held) {
    wi_begin;
    work_hold(self);
    wi_yield;
    work_let_go(self, reason, error);
}

static void generators(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(yielding, .held = &held)) BODY;
    }
}

/* ---- a loop in a block ---- */

enum { ELEMENTS = 1024 };
static double elements[ELEMENTS];
static volatile double total;

#define SUM_OR(rarely)                                                                             \
    do {                                                                                           \
        double sum = 0;                                                                            \
        for (int k = 0; k < ELEMENTS; k++) {                                                       \
            if (__builtin_expect(elements[k] < 0, 0)) rarely;                                      \
            sum += elements[k] * elements[k];                                                      \
        }                                                                                          \
        total = sum;                                                                               \
    } while (0)
#define RARE_CALL work_rarely(elements[k])
#define RARE_RAISE wi_raise(WI_VALUE_ERROR, "element %d is %g", k, elements[k])

static void call_in_block(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(nothing)) SUM_OR(RARE_CALL);
    }
}

static void call_in_loop(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) SUM_OR(RARE_CALL);
}

static void raise_in_block(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(nothing)) SUM_OR(RARE_RAISE);
    }
}

static void raise_in_loop(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) SUM_OR(RARE_RAISE);
}

/* ---- exit stacks ---- */

static void stacks(size_t n, int callbacks) {
    for (size_t i = 0; i < n; i++) {
        within (stack, wi_exit_stack()) {
            for (int k = 0; k < callbacks; k++) wi_stack_callback(stack, work_callback, &held);
        }
    }
}

static void calls(size_t n, int callbacks) {
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < callbacks; k++) work_callback(&held);
}

int main(void) {
    bench_target half_a_nanosecond = {BENCH_DIFFERENCE, 0.5}, five_percent = {BENCH_RATIO, 1.05};
    for (int i = 0; i < ELEMENTS; i++) elements[i] = i;
    bench("block: a count up and down", blocks, by_hand, .target = half_a_nanosecond);
    bench("block: empty functions", blocks_of_nothing, nothing_by_hand,
          .target = half_a_nanosecond);
    bench("block: generator manager", generators, by_hand);
    bench("block: sum of 1,024, rare raise", raise_in_block, raise_in_loop, .target = five_percent);
    bench("block: sum of 1,024, rare call", call_in_block, call_in_loop, .target = five_percent);
    bench("exit stack: 1 callback", stacks, calls, .size = 1);
    bench("exit stack: 8 callbacks", stacks, calls, .size = 8);
    bench("exit stack: 64 callbacks", stacks, calls, .size = 64);
    return 0;
}
