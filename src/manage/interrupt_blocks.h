/*
 * The wi_interrupts that are open in the process, and which of them a signal is raised in.
 *
 * A signal is worked off when every open block that takes it has seen it, and all errors that tell of it have
 * ended. Until then its handler stays, also behind the block's end.
 */
#ifndef WITHIN_MANAGE_INTERRUPT_BLOCKS_H
#define WITHIN_MANAGE_INTERRUPT_BLOCKS_H

#include <math.h>

#include <within/interrupts.h>

#include "manage/interrupt_signals.h"

/** Open it, for the calling thread. */
void wi__interrupts_open(wi_interrupts *block);
/** Close it. @return the signal that came and was not seen here: its error, if it has one, is counted as live. */
wi__signal wi__interrupts_close(wi_interrupts *block);
/**
 * The signal that is to be raised at this place of the thread's chain; number 0: none. It counts as seen in all
 * blocks of the thread, and as raised: wi__interruption_is_over must follow.
 */
wi__signal wi__interrupts_claim(wi__frame *link);
/** An error that tells of a signal has ended. */
void wi__interruption_is_over(void);

/** Steps of the thread that nothing may be raised in: one more, or one less. */
void wi__interrupts_hold_off(int steps);
/** Does the thread have blocks, and may something be raised in it? */
int wi__interrupts_may_come(void);
/** What is left of a grace period; of 0, which is none, INFINITY. */
static inline double wi__seconds_left(double grace_s, double age_s) {
    return !(grace_s > 0) ? INFINITY : age_s < grace_s ? grace_s - age_s : 0;
}
/** The grace period of the block in which the signal was, or is to be, raised on this thread; -1: in none. */
double wi__interrupts_grace(const wi__signal *signal);

#endif
