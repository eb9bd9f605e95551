/* A safe point in a loop, against the same loop without one. */
#include <signal.h>

#include <within.h>

#include "harness.h"

/* What a step does is not left out, and not merged with the next. */
#define STEP __asm__ volatile("" ::: "memory")

static void polls(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        STEP;
        wi_poll();
    }
}

static void steps(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) STEP;
}

static void polls_in_interrupts(size_t n, int size) {
    within (wi_interrupts()) polls(n, size);
}

static void steps_in_interrupts(size_t n, int size) {
    within (wi_interrupts()) steps(n, size);
}

static void asks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        STEP;
        if (wi_interrupted()) return;
    }
}

static void blocks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_interrupts()) STEP;
    }
}

/* The three signals that a block takes, on and off. */
static void handler(int number) { (void)number; }
static void sigactions(size_t n, int size) {
    (void)size;
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    struct sigaction ours = {.sa_handler = handler}, before[3];
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) sigaction(numbers[k], &ours, &before[k]);
        for (int k = 0; k < 3; k++) sigaction(numbers[k], &before[k], NULL);
    }
}

int main(void) {
    const bench_target a_nanosecond = {BENCH_DIFFERENCE, 1};
    bench("wi_poll", polls, steps, .target = a_nanosecond);
    bench("wi_poll, in wi_interrupts", polls_in_interrupts, steps_in_interrupts,
          .target = a_nanosecond);
    bench("wi_interrupted", asks, steps);
    bench("wi_interrupts, three signals", blocks, sigactions);
    return 0;
}
