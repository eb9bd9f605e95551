/* NumPy's SeedSequence: words of any quality in, words that differ in about half their bits out. */
#ifndef WITHIN_MANAGE_SEED_SEQUENCE_H
#define WITHIN_MANAGE_SEED_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

enum { WI__SEED_POOL = 4 };

/**
 * Fill `state` with SeedSequence(seed).generate_state(n, uint64).
 *
 * Method: O'Neill, "Developing a seed_seq alternative", pcg-random.org, 2015, as NumPy has it since 1.17.
 */
void wi__seed_state(const uint32_t *seed, size_t length, uint64_t *state, size_t n);

#endif
