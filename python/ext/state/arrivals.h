/*
 * Signals as they come, on any thread: which one waits to be raised, and what makes the main thread look.
 *
 * One at a time: the first waits until the main thread is where it may be raised, then counts as raised until it was
 * worked off. Another one meanwhile gets at once what it would have got before the block.
 */
#ifndef WITHIN_EXT_STATE_ARRIVALS_H
#define WITHIN_EXT_STATE_ARRIVALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { WITHIN_SIGNALS = 65 }; /* Linux has 1 to 64 */

/** A signal that has come. */
typedef struct within_arrival {
    int signal;            /* 0: none yet */
    uint64_t serial;       /* the how manieth; 0: none yet */
    double time;           /* seconds since 1970 */
    double monotonic_time; /* seconds of CLOCK_MONOTONIC */
} within_arrival;

/** Seconds of CLOCK_MONOTONIC. */
double within_monotonic_time(void);

/** The last one that was a first one. */
within_arrival within_last_arrival(void);

/**
 * Lay our handler over the one in force, Python's, on the main thread. The core lies above both.
 *
 * @param before     what was in force before the block: it gets a second signal.
 * @param of_python  what was before is a function of Python: the main thread calls it.
 */
void within_cover(int signal, const struct sigaction *before, bool of_python);
/** Take it away again, for what it covered. */
void within_uncover(int signal);

/** Of those that cover: there is one. */
bool within_is_main_thread(void);

/** The signal that waits to be raised; 0 if none does. */
int within_waiting_signal(void);
/** It is being raised. */
void within_signal_is_raised(void);
/** It was raised where it could not go on: it waits again. */
void within_signal_waits_again(void);
/** It was worked off, or nobody wants it any more. */
void within_forget_signal(void);
/** Did this one come a second time, for the Python function that was there before? Says so once. */
bool within_takes_second(int signal);

/** Have the main thread look again as soon as it runs Python code. */
void within_look_again(void);
/** The same in a moment, and again until no signal waits. The thread that does it ends then. */
void within_remind(void);
/** The main thread looks. @return whether one of ours made it; if not, the program did, without a signal. */
bool within_looks(void);
/** A signal has come, or is taken as if; true if it is a first one. */
bool within_take_signal(int signal);

/** In a forked child: no signal has come, and nothing is covered. */
void within_forget_arrivals(void);

#endif
