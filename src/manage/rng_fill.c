/* Arrays of doubles: two numbers of PCG64 at a time, and whole blocks of words of MT19937. */
#include <within/rng.h>

/* Two steps at once: a number need not wait for the one before it. */
static wi__uint128 two_steps(wi__uint128 state, wi__uint128 two_increments) {
    return state * (WI__PCG64_MULTIPLIER * WI__PCG64_MULTIPLIER) + two_increments;
}

static void fill_from_pcg64(wi__pcg64_state *pcg, double *x, size_t n) {
    wi__uint128 increment = wi__uint128_of(pcg->increment_high, pcg->increment_low);
    wi__uint128 two_increments = (WI__PCG64_MULTIPLIER + 1) * increment;
    wi__uint128 state = wi__uint128_of(pcg->high, pcg->low),
                next = state * WI__PCG64_MULTIPLIER + increment;
    size_t i = 0;
    for (; i + 1 < n; i += 2) {
        x[i] = wi__pcg64_double(wi__pcg64_output(next));
        state = two_steps(state, two_increments);
        x[i + 1] = wi__pcg64_double(wi__pcg64_output(state));
        next = two_steps(next, two_increments);
    }
    wi__pcg64_set(pcg, state);
    if (i < n) x[i] = wi__pcg64_double(wi__pcg64_next(pcg));
}

/* As many as the words that are left give, at most n; how many they were. */
static size_t fill_from_block(wi__mt19937 *mt, double *x, size_t n) {
    const uint32_t *words = mt->words + WI__MT19937_WORDS - mt->left;
    size_t count = mt->left / 2 < n ? mt->left / 2 : n;
    for (size_t i = 0; i < count; i++) x[i] = wi__mt19937_double(words[2 * i], words[2 * i + 1]);
    mt->left -= 2 * (uint32_t)count;
    return count;
}

static void fill_from_mt19937(wi_rng *rng, double *x, size_t n) {
    for (size_t i = 0; i < n;) {
        i += fill_from_block(&rng->of.mt19937, x + i, n - i);
        if (i < n) x[i++] = wi_rng_double(rng);
    }
}

void wi_rng_fill_double(wi_rng *rng, double *x, size_t n) {
    if (rng->kind == WI__PCG64)
        fill_from_pcg64(&rng->of.pcg64.state, x, n);
    else
        fill_from_mt19937(rng, x, n);
}
