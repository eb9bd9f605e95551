/* Who is told of seeds: what keeps them with an experiment. */
#ifndef WITHIN_MANAGE_SEEDING_H
#define WITHIN_MANAGE_SEEDING_H

#include <stdint.h>

#include <within/macros.h>

typedef void wi__seed_function(int64_t seed);
/** Called by each wi_temporary_seed once all generators are seeded; NULL: nobody is told. Must not raise. */
extern WI_API wi__seed_function *wi__seed_observer;

#endif
