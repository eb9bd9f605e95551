/*
 * The open blocks of within.interrupts, and the raising of what has come for them.
 */
#ifndef WITHIN_EXT_STATE_INTERRUPTS_H
#define WITHIN_EXT_STATE_INTERRUPTS_H

#include <within/interrupts.h>

#include "arguments.h"
#include "state/arrivals.h"
#include "state/places.h"

typedef struct within_interrupts {
    PyObject_HEAD PyObject *signals; /* a tuple of signal.Signals */
    int by_name;                     /* they are taken even if they are ignored */
    double grace;                    /* seconds; infinite without a period */
    pid_t owner;                     /* the process that entered it; 0 while it is closed */
    uint64_t taken;                  /* a bit for each signal */
    uint64_t since;                  /* the serial of the last arrival before the block */
    within_arrival arrival;          /* what came for it, once it is closed */
    within_surroundings surroundings;
    wi_interrupts core;
    struct within_interrupts *outer; /* of those that are open, the one entered before */
} within_interrupts;

/** The one entered last of those that are open; NULL if none is. */
extern within_interrupts *within_innermost_interrupts;

static inline uint64_t within_signal_bit(int signal) { return (uint64_t)1 << (signal - 1); }

/** The innermost that takes a signal; NULL if none does. */
within_interrupts *within_taker_of(int signal);

/** What has come for it; no signal if nothing has. */
within_arrival within_arrival_of(const within_interrupts *block);
/** The signal.Signals of one that the block is for, borrowed; None for others. */
PyObject *within_signal_name(const within_interrupts *block, int signal);

/** Raise what has come for a block. Returns NULL: an error is set. */
PyObject *within_raise_interrupted(within_state *state, within_interrupts *block);

/** Is this the Interrupted that was raised last? It waits again then. */
int within_interrupt_again(within_state *state, PyObject *exception);

/** An exception has left the program: is it an Interrupted? The process ends by its signal then, when all else is done. */
int within_end_by_interrupt(const within_state *state, PyObject *exception);

#endif
