/* Blocks, exit stacks and generator managers against the same calls written by hand. */
#include <within.h>

#include "harness.h"
#include "work.h"

static const wi_protocol counter_protocol = {
    .name = "counter", .enter = work_enter, .exit = work_exit};

static void blocks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(counter)) {
        }
    }
}

static void enter_and_exit(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        counter self = {.protocol = &counter_protocol};
        work_enter(&self);
        work_exit(&self, WI_END, NULL);
    }
}

/* ---- a loop in a block ---- */

enum { ELEMENTS = 1024 };
static double elements[ELEMENTS];
static volatile double total;

__attribute__((always_inline)) static inline double sum(void) {
    double sum = 0;
    for (int i = 0; i < ELEMENTS; i++) {
        if (__builtin_expect(elements[i] < 0, 0)) work_rarely(elements[i]);
        sum += elements[i] * elements[i];
    }
    return sum;
}

static void sums_in_blocks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(counter)) total = sum();
    }
}

static void sums(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) total = sum();
}

/* ---- exit stacks and generators ---- */

static void stacks(size_t n, int callbacks) {
    counter called = {.protocol = NULL};
    for (size_t i = 0; i < n; i++) {
        within (stack, wi_exit_stack()) {
            for (int k = 0; k < callbacks; k++) wi_stack_callback(stack, work_callback, &called);
        }
    }
}

static void calls(size_t n, int callbacks) {
    counter called = {.protocol = NULL};
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < callbacks; k++) work_callback(&called);
}

wi_generator(yielding, long open) {
    wi_begin;
    work_enter(self);
    wi_yield;
    work_exit(self, reason, error);
}

static void generators(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_make(yielding)) {
        }
    }
}

int main(void) {
    for (int i = 0; i < ELEMENTS; i++) elements[i] = i;
    bench("block: no-op", blocks, enter_and_exit, .target = {BENCH_DIFFERENCE, 0.5});
    bench("block: around a sum of 1,024", sums_in_blocks, sums, .target = {BENCH_RATIO, 1.05});
    bench("generator manager", generators, enter_and_exit);
    bench("exit stack: 1 callback", stacks, calls, .size = 1);
    bench("exit stack: 8 callbacks", stacks, calls, .size = 8);
    bench("exit stack: 64 callbacks", stacks, calls, .size = 64);
    return 0;
}
