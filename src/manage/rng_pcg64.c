/* PCG64, seeded through NumPy's seed sequence; its children, and steps of any length. */
#include <string.h>

#include <within/error.h>
#include <within/rng.h>

#include "manage/seed_sequence.h"

/* The state that the words in pcg->seed stand for. */
static void start(wi__pcg64 *pcg) {
    uint64_t words[4];
    wi__seed_state(pcg->seed, pcg->seed_length, words, 4);
    wi__uint128 increment = wi__uint128_of(words[2], words[3]) << 1 | 1;
    pcg->state.increment_high = (uint64_t)(increment >> 64);
    pcg->state.increment_low = (uint64_t)increment;
    wi__pcg64_set(&pcg->state,
                  (increment + wi__uint128_of(words[0], words[1])) * WI__PCG64_MULTIPLIER +
                      increment);
}

wi_rng wi_rng_pcg64_of(const uint32_t *words, size_t n) {
    if (n > WI_RNG_SEED_WORDS)
        wi_raise(WI_VALUE_ERROR, "wi_rng_pcg64_of: the seed has %zu words; at most %d are kept", n,
                 WI_RNG_SEED_WORDS);
    wi_rng rng = {.kind = WI__PCG64};
    wi__pcg64 *pcg = &rng.of.pcg64;
    if (n) memcpy(pcg->seed, words, n * sizeof *words);
    pcg->seed_length = (uint32_t)n;
    start(pcg);
    return rng;
}

wi_rng wi_rng_pcg64(int64_t seed) {
    if (seed < 0)
        wi_raise(WI_VALUE_ERROR,
                 "wi_rng_pcg64: seed %lld is negative; wi_rng_pcg64_of takes those from 2^63 on",
                 (long long)seed);
    const uint32_t words[] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    return wi_rng_pcg64_of(words, words[1] ? 2 : 1);
}

static void expect_pcg64(const wi_rng *rng, const char *what) {
    if (rng->kind != WI__PCG64)
        wi_raise(WI_USAGE_ERROR,
                 "%s: only PCG64 can; seed MT19937 with {seed, rank} by wi_rng_mt19937_of", what);
}

/* ---- children ---- */

wi_rng wi_rng_child(const wi_rng *parent, uint32_t i) {
    expect_pcg64(parent, "wi_rng_child");
    wi__pcg64 child = {.seed_length = parent->of.pcg64.seed_length};
    memcpy(child.seed, parent->of.pcg64.seed, sizeof child.seed);
    /* Else the child of a short seed would be the generator of a longer one. */
    if (child.seed_length < WI__SEED_POOL) child.seed_length = WI__SEED_POOL;
    if (child.seed_length == WI_RNG_SEED_WORDS)
        wi_raise(WI_VALUE_ERROR,
                 "wi_rng_child: the seed and the indices of its ancestors have %d words already",
                 WI_RNG_SEED_WORDS);
    child.seed[child.seed_length++] = i;
    return wi_rng_pcg64_of(child.seed, child.seed_length);
}

wi_rng wi_rng_spawn(wi_rng *parent) {
    expect_pcg64(parent, "wi_rng_spawn");
    if (parent->of.pcg64.children == UINT32_MAX)
        wi_raise(WI_VALUE_ERROR, "wi_rng_spawn: it has 2^32 - 1 children already");
    wi_rng child = wi_rng_child(parent, parent->of.pcg64.children);
    parent->of.pcg64.children++;
    return child;
}

/* ---- steps ---- */

/* state → a·state + b, n times over: a and b are squared as in fast exponentiation. */
static void go_on(wi__pcg64 *pcg, wi__uint128 n) {
    wi__uint128 a = WI__PCG64_MULTIPLIER;
    wi__uint128 b = wi__uint128_of(pcg->state.increment_high, pcg->state.increment_low);
    wi__uint128 state = wi__uint128_of(pcg->state.high, pcg->state.low);
    for (; n; n >>= 1) {
        if (n & 1) state = a * state + b;
        b *= a + 1;
        a *= a;
    }
    wi__pcg64_set(&pcg->state, state);
    pcg->state.has_half = 0;
}

void wi_rng_advance(wi_rng *rng, uint64_t draws) {
    expect_pcg64(rng, "wi_rng_advance");
    go_on(&rng->of.pcg64, draws);
}

void wi_rng_jump(wi_rng *rng, uint64_t jumps) {
    expect_pcg64(rng, "wi_rng_jump");
    /* (√5 - 1)/2 · 2^128, of whose multiples few come near each other. */
    go_on(&rng->of.pcg64, wi__uint128_of(0x9E3779B97F4A7C15u, 0xF39CC0605CEDC835u) * jumps);
}
