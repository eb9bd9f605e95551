/*
 * Random bits and normal numbers: xoshiro256++ (Blackman & Vigna, ACM Trans. Math. Softw. 47(4), 2021),
 * seeded by splitmix64 (Steele, Lea & Flood 2014); normal numbers by the polar method (Marsaglia & Bray,
 * SIAM Review 6(3), 1964).
 */
#ifndef BER_RANDOM_H
#define BER_RANDOM_H

#include <stdint.h>

typedef struct random_state {
    uint64_t words[4];
    uint64_t bits; /* not yet used */
    int bits_left;
    double spare_normal;
    int has_spare_normal;
} random_state;

/** Begin the sequence of a seed. */
void random_seed(random_state *random, uint64_t seed);
/** 0 or 1, each with probability one half. */
unsigned char random_bit(random_state *random);
/** A number of mean 0 and variance 1. */
double random_normal(random_state *random);

#endif
