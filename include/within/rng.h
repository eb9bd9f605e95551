/*
 * Random numbers that are NumPy's to the last bit, so that a C program can repeat a prototype's run.
 *
 *     wi_rng rng = wi_rng_mt19937(42);     np.random.seed(42) or np.random.RandomState(42)
 *     wi_rng rng = wi_rng_pcg64(42);       np.random.default_rng(42)
 *     double noise = wi_rng_normal(&rng);
 *
 * A wi_rng is a plain value of 2520 bytes, without pointers or padding, and they are its whole
 * state: a copy goes on where the original was, and may be written into a file. It owns nothing and
 * need not be released.
 *
 * Threads: one at a time for each wi_rng. Drawing from one that was never seeded, all zeros, raises
 * WI_USAGE_ERROR.
 *
 * Sources: MT19937, Matsumoto and Nishimura, ACM TOMACS 8(1), 1998, 3-30, seeded as in mt19937ar
 * (2002). PCG64, O'Neill, HMC-CS-2014-0905, 2014, XSL-RR 128/64. What NumPy promises to keep: NEP 19.
 */
#ifndef WITHIN_RNG_H
#define WITHIN_RNG_H

#include <stddef.h>
#include <stdint.h>

#include <within/macros.h>

WI__BEGIN_DECLS

/* What a PCG64's seed and the indices of its ancestors may have together. */
enum { WI_RNG_SEED_WORDS = 512 };

enum { WI__MT19937 = 1, WI__PCG64 = 2, WI__MT19937_WORDS = 624 };

/* What a generator is made of; for the inline draws below. */

typedef struct wi__mt19937 {
    double normal; /* the second of a pair, if has_normal */
    uint32_t has_normal;
    uint32_t left; /* of the words, how many at the end are not drawn yet */
    uint32_t words[WI__MT19937_WORDS];
} wi__mt19937;

typedef struct wi__pcg64_state {
    uint64_t high, low;
    uint64_t increment_high, increment_low;
    uint32_t half; /* the upper one of the last number, if its lower one was drawn alone */
    uint32_t has_half;
} wi__pcg64_state;

typedef struct wi__pcg64 {
    wi__pcg64_state state;
    uint32_t children; /* how many were spawned */
    uint32_t seed_length;
    uint32_t seed[WI_RNG_SEED_WORDS];
} wi__pcg64;

/** A generator: which one, and its state. */
typedef struct wi_rng {
    uint64_t kind;
    union {
        wi__mt19937 mt19937;
        wi__pcg64 pcg64;
    } of;
} wi_rng;

/* ---- seeds ---- */

/**
 * MT19937 as np.random.seed(seed) leaves it: the first double of seed 42 is 0.3745401188473625.
 *
 * @param seed  0 to 2^32 - 1.
 * @raise WI_VALUE_ERROR for any other, as NumPy does.
 */
WI_API wi_rng wi_rng_mt19937(int64_t seed);
/**
 * MT19937 as np.random.seed(array) leaves it: for seeds of more than 32 bits, or one of {seed, rank}.
 *
 * @param[in] words  array of shape (n,), borrowed for the call.
 * @raise WI_VALUE_ERROR if n is 0, as NumPy does.
 */
WI_API wi_rng wi_rng_mt19937_of(const uint32_t *words, size_t n);
/**
 * PCG64 as np.random.default_rng(seed) makes it: the first double of seed 42 is 0.7739560485559633.
 *
 * @param seed  not negative; wi_rng_pcg64_of takes those from 2^63 on.
 * @raise WI_VALUE_ERROR for negative ones, as NumPy does.
 */
WI_API wi_rng wi_rng_pcg64(int64_t seed);
/**
 * PCG64 as np.random.default_rng(array or big integer) makes it.
 *
 * @param[in] words  array of shape (n,), borrowed for the call; of an integer its 32-bit words, the
 *                   lowest first and the highest not 0. n == 0 is np.random.default_rng([]).
 * @raise WI_VALUE_ERROR if n is above WI_RNG_SEED_WORDS, a limit that NumPy has not.
 */
WI_API wi_rng wi_rng_pcg64_of(const uint32_t *words, size_t n);

/* ---- streams for threads and ranks ---- */

/**
 * A generator of its own for a thread, rank or task: the i-th of default_rng(seed).spawn(n), n above i.
 * The parent is only read, and however much was drawn from it, its children are the same.
 *
 * @raise WI_USAGE_ERROR if the parent is no PCG64.
 * @raise WI_VALUE_ERROR if its seed and the indices of its ancestors fill WI_RNG_SEED_WORDS already.
 *
 * Threads: many may share the parent while none draws from it.
 */
WI_API wi_rng wi_rng_child(const wi_rng *parent, uint32_t i);
/** The next child: rng.spawn(1)[0]. Raises as wi_rng_child does, and WI_VALUE_ERROR after 2^32 - 1. */
WI_API wi_rng wi_rng_spawn(wi_rng *parent);
/**
 * Go on as if `draws` 64-bit numbers had been drawn: rng.bit_generator.advance(draws).
 *
 * @raise WI_USAGE_ERROR if it is no PCG64.
 *
 * Cost: O(log draws).   Method: Brown, Trans. Am. Nucl. Soc. 71, 1994, 202-203.
 */
WI_API void wi_rng_advance(wi_rng *rng, uint64_t draws);
/**
 * Go on by `jumps` times 0.618 · 2^128 draws: rng.bit_generator.jumped(jumps). Streams that are
 * fewer than 2^60 jumps apart do not meet within 2^64 draws.
 *
 * @raise WI_USAGE_ERROR if it is no PCG64.
 */
WI_API void wi_rng_jump(wi_rng *rng, uint64_t jumps);

/* ---- draws ---- */

/** 32 bits: of MT19937 the next word; of PCG64 the lower half of its next number, then the upper one. */
WI__INLINE uint32_t wi_rng_uint32(wi_rng *rng);
/** 64 bits: of PCG64 the next number, bit_generator.random_raw(); of MT19937 two words, the upper first. */
WI__INLINE uint64_t wi_rng_uint64(wi_rng *rng);
/** A number of [0, 1), a multiple of 2^-53: RandomState.random_sample(), default_rng(seed).random(). */
WI__INLINE double wi_rng_double(wi_rng *rng);

/**
 * A standard normal number. MT19937: randn(), by the polar method, which makes two at a time and keeps
 * the second. PCG64: default_rng(seed).standard_normal(), by the ziggurat, as in NumPy 1.21 to 2.4;
 * NumPy itself does not promise to keep it.
 *
 * Both take logarithms from libm, as NumPy does: the last bit may differ between two versions of it.
 *
 * Sources: Marsaglia and Bray, SIAM Review 6(3), 1964, 260-264; Marsaglia and Tsang, J. Stat. Softw.
 * 5(8), 2000.
 */
WI_API double wi_rng_normal(wi_rng *rng);
/**
 * An integer, each of low to high - 1 as likely as any other. MT19937: randint(low, high), by masks and
 * rejection. PCG64: default_rng(seed).integers(low, high), by Lemire's method.
 *
 * @raise WI_VALUE_ERROR if low is not below high; nothing is drawn.
 *
 * Source: Lemire, ACM TOMACS 29(1), 2019, doi:10.1145/3230636.
 */
WI_API int64_t wi_rng_integer(wi_rng *rng, int64_t low, int64_t high);

/** Fill an array of shape (n,): what n calls of wi_rng_double would give, faster. */
WI_API void wi_rng_fill_double(wi_rng *rng, double *x, size_t n);
/** Fill an array of shape (n,): what n calls of wi_rng_normal would give. */
WI_API void wi_rng_fill_normal(wi_rng *rng, double *x, size_t n);
/** Fill an array of shape (n,): what n calls of wi_rng_integer would give. Raises as it does, x unchanged. */
WI_API void wi_rng_fill_integer(wi_rng *rng, int64_t *x, size_t n, int64_t low, int64_t high);

/**
 * Shuffle an array: RandomState.shuffle, and Generator.shuffle, which draw alike. Rows of a matrix are
 * items as well.
 *
 * @param[in,out] items  array of n items of `size` bytes each; n == 0 does nothing.
 *
 * Cost: n - 1 draws, no allocation.   Method: Durstenfeld, CACM 7(7), 1964, 420.
 */
WI_API void wi_rng_shuffle(wi_rng *rng, void *items, size_t n, size_t size);
/** Fill an array of shape (n,) with 0 to n - 1 in random order: permutation(n) of both. */
WI_API void wi_rng_permutation(wi_rng *rng, int64_t *x, size_t n);

/* ---- behind the draws, which are inline: a call would take as long as the number ---- */

__extension__ typedef unsigned __int128 wi__uint128;

#define WI__PCG64_MULTIPLIER (((wi__uint128)0x2360ED051FC65DA4u << 64) | 0x4385DF649FCCF645u)

/* Make the next 624 words. */
WI_API void wi__mt19937_refill(wi_rng *rng);
/* A double of which not both words are there. */
WI_API double wi__mt19937_double_across(wi_rng *rng);

WI__INLINE uint32_t wi__mt19937_temper(uint32_t word) {
    word ^= word >> 11;
    word ^= (word << 7) & 0x9D2C5680u;
    word ^= (word << 15) & 0xEFC60000u;
    return word ^ (word >> 18);
}

WI__INLINE uint32_t wi__mt19937_next(wi_rng *rng) {
    wi__mt19937 *mt = &rng->of.mt19937;
    if (WI__UNLIKELY(mt->left == 0)) wi__mt19937_refill(rng);
    return wi__mt19937_temper(mt->words[WI__MT19937_WORDS - mt->left--]);
}

/* 53 bits of two words: 27 of the first, 26 of the second. */
WI__INLINE double wi__mt19937_double(uint32_t first, uint32_t second) {
    first = wi__mt19937_temper(first) >> 5;
    second = wi__mt19937_temper(second) >> 6;
    return (first * 67108864.0 + second) * 0x1p-53;
}

WI__INLINE wi__uint128 wi__uint128_of(uint64_t high, uint64_t low) {
    return (wi__uint128)high << 64 | low;
}

WI__INLINE void wi__pcg64_set(wi__pcg64_state *pcg, wi__uint128 state) {
    pcg->high = (uint64_t)(state >> 64);
    pcg->low = (uint64_t)state;
}

WI__INLINE uint64_t wi__pcg64_output(wi__uint128 state) {
    uint64_t high = (uint64_t)(state >> 64), folded = high ^ (uint64_t)state;
    unsigned turn = (unsigned)(high >> 58);
    return (folded >> turn) | (folded << (-turn & 63));
}

WI__INLINE uint64_t wi__pcg64_next(wi__pcg64_state *pcg) {
    wi__uint128 increment = wi__uint128_of(pcg->increment_high, pcg->increment_low);
    wi__uint128 state = wi__uint128_of(pcg->high, pcg->low) * WI__PCG64_MULTIPLIER + increment;
    wi__pcg64_set(pcg, state);
    return wi__pcg64_output(state);
}

WI__INLINE uint32_t wi__pcg64_half(wi__pcg64_state *pcg) {
    pcg->has_half = !pcg->has_half;
    if (!pcg->has_half) return pcg->half;
    uint64_t bits = wi__pcg64_next(pcg);
    pcg->half = (uint32_t)(bits >> 32);
    return (uint32_t)bits;
}

WI__INLINE double wi__pcg64_double(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }

WI__INLINE uint32_t wi_rng_uint32(wi_rng *rng) {
    return rng->kind == WI__PCG64 ? wi__pcg64_half(&rng->of.pcg64.state) : wi__mt19937_next(rng);
}

WI__INLINE uint64_t wi_rng_uint64(wi_rng *rng) {
    if (rng->kind == WI__PCG64) return wi__pcg64_next(&rng->of.pcg64.state);
    uint64_t upper = wi__mt19937_next(rng);
    return upper << 32 | wi__mt19937_next(rng);
}

WI__INLINE double wi_rng_double(wi_rng *rng) {
    if (rng->kind == WI__PCG64) return wi__pcg64_double(wi__pcg64_next(&rng->of.pcg64.state));
    wi__mt19937 *mt = &rng->of.mt19937;
    if (WI__UNLIKELY(mt->left < 2)) return wi__mt19937_double_across(rng);
    const uint32_t *words = mt->words + WI__MT19937_WORDS - mt->left;
    mt->left -= 2;
    return wi__mt19937_double(words[0], words[1]);
}

WI__END_DECLS

#endif
