/* Integers from low to high - 1: by masks from MT19937, by Lemire's method from PCG64, as NumPy draws them. */
#include "manage/rng_integer.h"

#include <within/error.h>

/* The upper half of a product is the number, if the lower half is not among those that occur too often. */
static uint64_t lemire_32(wi__pcg64_state *pcg, uint32_t most) {
    uint32_t count = most + 1;
    uint64_t product = (uint64_t)wi__pcg64_half(pcg) * count;
    if ((uint32_t)product < count)
        for (uint32_t least = -count % count; (uint32_t)product < least;)
            product = (uint64_t)wi__pcg64_half(pcg) * count;
    return product >> 32;
}

static uint64_t lemire_64(wi__pcg64_state *pcg, uint64_t most) {
    uint64_t count = most + 1;
    wi__uint128 product = (wi__uint128)wi__pcg64_next(pcg) * count;
    if ((uint64_t)product < count)
        for (uint64_t least = -count % count; (uint64_t)product < least;)
            product = (wi__uint128)wi__pcg64_next(pcg) * count;
    return (uint64_t)(product >> 64);
}

/* Of all 2^32 none occurs too often, and their count does not fit; all 2^64 are not asked for. */
static uint64_t lemire(wi__pcg64_state *pcg, uint64_t most) {
    if (most == 0) return 0;
    if (most == UINT32_MAX) return wi__pcg64_half(pcg);
    return most < UINT32_MAX ? lemire_32(pcg, (uint32_t)most) : lemire_64(pcg, most);
}

static uint64_t distance(const char *who, int64_t low, int64_t high) {
    if (low >= high)
        wi_raise(WI_VALUE_ERROR, "%s: low %lld is not below high %lld", who, (long long)low,
                 (long long)high);
    return (uint64_t)high - (uint64_t)low - 1;
}

/* Without overflow on the way. */
static int64_t sum(int64_t low, uint64_t above) { return (int64_t)((uint64_t)low + above); }

int64_t wi_rng_integer(wi_rng *rng, int64_t low, int64_t high) {
    uint64_t most = distance("wi_rng_integer", low, high);
    uint64_t above =
        rng->kind == WI__PCG64 ? lemire(&rng->of.pcg64.state, most) : wi__rng_masked(rng, most);
    return sum(low, above);
}

/* From a copy of the state, which registers can hold. */
static void fill_from_pcg64(wi__pcg64_state *pcg, int64_t *x, size_t n, int64_t low,
                            uint64_t most) {
    wi__pcg64_state state = *pcg;
    if (most > 0 && most < UINT32_MAX) /* the usual ranges, not told apart again for each number */
        for (size_t i = 0; i < n; i++) x[i] = sum(low, lemire_32(&state, (uint32_t)most));
    else
        for (size_t i = 0; i < n; i++) x[i] = sum(low, lemire(&state, most));
    *pcg = state;
}

/* Each number is stored, and the next one over it if it was too large: no branch to be guessed wrong. */
static void fill_masked_32(wi_rng *rng, int64_t *x, size_t n, int64_t low, uint32_t most) {
    uint32_t mask = UINT32_MAX >> __builtin_clz(most);
    for (size_t i = 0; i < n;) {
        uint32_t above = wi__mt19937_next(rng) & mask;
        x[i] = sum(low, above);
        i += above <= most;
    }
}

static void fill_from_mt19937(wi_rng *rng, int64_t *x, size_t n, int64_t low, uint64_t most) {
    if (most > 0 && most <= UINT32_MAX)
        fill_masked_32(rng, x, n, low, (uint32_t)most);
    else
        for (size_t i = 0; i < n; i++) x[i] = sum(low, wi__rng_masked(rng, most));
}

void wi_rng_fill_integer(wi_rng *rng, int64_t *x, size_t n, int64_t low, int64_t high) {
    uint64_t most = distance("wi_rng_fill_integer", low, high);
    if (rng->kind == WI__PCG64)
        fill_from_pcg64(&rng->of.pcg64.state, x, n, low, most);
    else
        fill_from_mt19937(rng, x, n, low, most);
}
