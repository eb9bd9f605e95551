/*
 * How far a sweep has come, and the checkpoints that it goes on from.
 */
#ifndef BER_SWEEP_H
#define BER_SWEEP_H

#include <within.h>

#include "options.h"

typedef struct bit_count {
    long bits;
    long errors;
} bit_count;

typedef struct sweep_state {
    ber_setting setting;
    int done;                      /* points */
    wi_rng rng;                    /* after those */
    bit_count counts[MOST_POINTS]; /* of those */
} sweep_state;

/**
 * Where the newest checkpoint was, if that is of an unfinished sweep with this setting; else at the beginning.
 *
 * @param[in,out] rng  at the beginning; goes on where the checkpoint was.
 */
void sweep_begin(sweep_state *sweep, wi_rng *rng, const ber_setting *setting,
                 const wi_checkpoints *series);
/** Save a checkpoint. */
void sweep_save(const sweep_state *sweep, const wi_checkpoints *series);

#endif
