/* Raising an error through blocks and catching it, against a C++ exception. */
#include <within.h>

#include "harness.h"
#include "work.h"

static const wi_protocol holder_protocol = {"holder", work_hold, work_let_go, NULL};
static long held;

__attribute__((noinline)) static void descend(int blocks) {
    if (!blocks) wi_raise(WI_VALUE_ERROR, "no convergence");
    within (wi_make(holder, .held = &held)) descend(blocks - 1);
}

static void descend_as_told(void *blocks) { descend(*(const int *)blocks); }

static void calls(size_t n, int blocks) {
    for (size_t i = 0; i < n; i++) {
        wi_error *error;
        if (!wi_call(descend_as_told, &blocks, &error)) wi_error_free(error);
    }
}

__attribute__((noinline)) static void try_once(int blocks) {
    wi_try {
        descend(blocks);
    } wi_catch (WI_VALUE_ERROR, error) {
    }
}

static void tries(size_t n, int blocks) {
    for (size_t i = 0; i < n; i++) try_once(blocks);
}

int main(void) {
    bench_target twenty_times_faster = {BENCH_RATIO, 1.0 / 20};
    bench("wi_call, raise through 0 blocks", calls, throw_and_catch, .size = 0);
    bench("wi_call, raise through 1 block", calls, throw_and_catch, .size = 1);
    bench("wi_call, raise through 8 blocks", calls, throw_and_catch, .size = 8,
          .target = twenty_times_faster);
    bench("wi_try, raise through 0 blocks", tries, throw_and_catch, .size = 0);
    bench("wi_try, raise through 1 block", tries, throw_and_catch, .size = 1);
    bench("wi_try, raise through 8 blocks", tries, throw_and_catch, .size = 8,
          .target = twenty_times_faster);
    return 0;
}
