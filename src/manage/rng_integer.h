/* An integer from 0 to a largest one by masks and rejection, which NumPy's RandomState and its shuffles draw with. */
#ifndef WITHIN_MANAGE_RNG_INTEGER_H
#define WITHIN_MANAGE_RNG_INTEGER_H

#include <within/rng.h>

/* A `most` of 0 draws nothing, and one below 2^32 draws 32 bits at a time. */
WI__INLINE uint64_t wi__rng_masked(wi_rng *rng, uint64_t most) {
    uint64_t bits;
    if (most == 0) return 0;
    uint64_t mask = UINT64_MAX >> __builtin_clzll(most);
    do bits = (most <= UINT32_MAX ? wi_rng_uint32(rng) : wi_rng_uint64(rng)) & mask;
    while (bits > most);
    return bits;
}

#endif
