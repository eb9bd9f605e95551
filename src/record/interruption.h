/* The record's note of the signal that asked the process to end. */
#ifndef WITHIN_RECORD_INTERRUPTION_H
#define WITHIN_RECORD_INTERRUPTION_H

#include <stdint.h>

/** A signal has come, the first or after another was over. Async-signal-safe; one caller at a time. */
void wi__record_signal(int number, uint32_t sender, double grace_s);
/** One more has come meanwhile. Async-signal-safe. */
void wi__record_signal_again(void);
/** It was raised, in a block with this grace period. */
void wi__record_signal_raised(double grace_s);

#endif
