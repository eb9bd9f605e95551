/* MT19937, seeded as NumPy's RandomState seeds it, and the block of 624 words that it draws from. */
#include <within/error.h>
#include <within/rng.h>

enum { WORDS = WI__MT19937_WORDS, SHIFT = 397, FARTHEST = WORDS - SHIFT };

/* The multiplier is Knuth's, TAOCP 2, 3rd ed., page 106. */
static void seed_with(uint32_t *words, uint32_t seed) {
    words[0] = seed;
    for (uint32_t i = 1; i < WORDS; i++)
        words[i] = 1812433253u * (words[i - 1] ^ (words[i - 1] >> 30)) + i;
}

/* From the last place on to the second; the first holds a copy of the last. */
static size_t next_place(uint32_t *words, size_t i) {
    if (++i < WORDS) return i;
    words[0] = words[WORDS - 1];
    return 1;
}

static void stir_in(uint32_t *words, const uint32_t *key, size_t n) {
    size_t i = 1, j = 0;
    for (size_t k = n > WORDS ? n : WORDS; k > 0; k--) {
        uint32_t before = words[i - 1] ^ (words[i - 1] >> 30);
        words[i] = (words[i] ^ (before * 1664525u)) + key[j] + (uint32_t)j;
        i = next_place(words, i);
        j = j + 1 < n ? j + 1 : 0;
    }
    for (size_t k = WORDS - 1; k > 0; k--) {
        uint32_t before = words[i - 1] ^ (words[i - 1] >> 30);
        words[i] = (words[i] ^ (before * 1566083941u)) - (uint32_t)i;
        i = next_place(words, i);
    }
    words[0] = 0x80000000u;
}

wi_rng wi_rng_mt19937(int64_t seed) {
    if (seed < 0 || seed > UINT32_MAX)
        wi_raise(WI_VALUE_ERROR,
                 "wi_rng_mt19937: seed %lld is not from 0 to 2^32 - 1; wi_rng_mt19937_of takes "
                 "more bits",
                 (long long)seed);
    wi_rng rng = {.kind = WI__MT19937};
    seed_with(rng.of.mt19937.words, (uint32_t)seed);
    return rng;
}

wi_rng wi_rng_mt19937_of(const uint32_t *words, size_t n) {
    if (n == 0) wi_raise(WI_VALUE_ERROR, "wi_rng_mt19937_of: the seed has no words");
    wi_rng rng = {.kind = WI__MT19937};
    seed_with(rng.of.mt19937.words, 19650218u);
    stir_in(rng.of.mt19937.words, words, n);
    return rng;
}

static uint32_t twist(uint32_t upper, uint32_t lower, uint32_t shifted) {
    uint32_t y = (upper & 0x80000000u) | (lower & 0x7FFFFFFFu);
    return shifted ^ (y >> 1) ^ (-(y & 1) & 0x9908B0DFu);
}

void wi__mt19937_refill(wi_rng *rng) {
    if (rng->kind != WI__MT19937)
        wi_raise(WI_USAGE_ERROR, "random numbers: the generator was never seeded; make it with "
                                 "wi_rng_mt19937 or wi_rng_pcg64");
    uint32_t *w = rng->of.mt19937.words;
    for (size_t i = 0; i < FARTHEST; i++) w[i] = twist(w[i], w[i + 1], w[i + SHIFT]);
    for (size_t i = FARTHEST; i < WORDS - 1; i++) w[i] = twist(w[i], w[i + 1], w[i - FARTHEST]);
    w[WORDS - 1] = twist(w[WORDS - 1], w[0], w[SHIFT - 1]);
    rng->of.mt19937.left = WORDS;
}

double wi__mt19937_double_across(wi_rng *rng) {
    wi__mt19937 *mt = &rng->of.mt19937;
    uint32_t pair[2];
    for (int i = 0; i < 2; i++) {
        if (mt->left == 0) wi__mt19937_refill(rng);
        pair[i] = mt->words[WORDS - mt->left--];
    }
    return wi__mt19937_double(pair[0], pair[1]);
}
