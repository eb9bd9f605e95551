/* wi_temporary_seed against the same by hand: saved, seeded and put back, without an error or any order in mind. */
#include <stdlib.h>
#include <string.h>

#include <within.h>

#include "harness.h"

static void blocks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++)
        within (wi_temporary_seed((int64_t)i & 0xFFFF)) continue;
}

static uint64_t step_from(unsigned short x) {
    unsigned short words[3] = {x, 0, 0};
    jrand48(words);
    return words[0] | (uint64_t)words[1] << 16 | (uint64_t)words[2] << 32;
}

static void read_drand48(unsigned short *state) {
    unsigned short any[3] = {0};
    uint64_t c = step_from(0), a = step_from(1) - c;
    for (int i = 0; i < 3; i++) state[3 + i] = (unsigned short)(a >> 16 * i);
    state[6] = (unsigned short)c;
    memcpy(state, seed48(any), 3 * sizeof *state);
}

static void by_hand(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        unsigned short of_drand48[7];
        char of_random[128];
        wi_rng kept = *wi_thread_rng();
        read_drand48(of_drand48);
        char *outer = initstate((unsigned)i & 0xFFFF, of_random, sizeof of_random);
        srand48((long)i & 0xFFFF);
        *wi_thread_rng() = wi_rng_pcg64((int64_t)i & 0xFFFF);
        lcong48(of_drand48);
        setstate(outer);
        *wi_thread_rng() = kept;
    }
}

static void look(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) __asm__ volatile("" : : "r"(wi_thread_rng()));
}

static void copies(size_t n, int size) {
    (void)size;
    static WI__THREAD_LOCAL wi_rng rng;
    for (size_t i = 0; i < n; i++) __asm__ volatile("" : : "r"(&rng));
}

int main(void) {
    bench("temporary_seed, against by hand", blocks, by_hand, .target = {BENCH_RATIO, 1.2});
    bench("wi_thread_rng, against a thread-local", look, copies);
    return 0;
}
