/*
 * Signals that blocks take: their handler, what handled them before, and the one that is being worked off.
 *
 * At any time at most one signal is: from its coming until wi__signal_is_over. What comes meanwhile is the same
 * one again, or acts at once. The handler takes no lock; all else here is done with the lock of
 * interrupt_blocks.c held.
 */
#ifndef WITHIN_MANAGE_INTERRUPT_SIGNALS_H
#define WITHIN_MANAGE_INTERRUPT_SIGNALS_H

#include <stddef.h>
#include <stdint.h>

enum { WI__SIGNALS = 64 };

/** One bit a signal, of those from 1 to WI__SIGNALS. */
typedef uint64_t wi__signal_set;
static inline wi__signal_set wi__signal_bit(int number) { return (uint64_t)1 << (number - 1); }

/** What is wrong with taking a signal, "cannot be taken"; NULL if nothing is. */
const char *wi__signal_objection(int number);
/** Those of the set that the process does not ignore. */
wi__signal_set wi__signals_not_ignored(wi__signal_set set);

/** Have the handler take them, one time more. */
void wi__signals_take(wi__signal_set set);
/** One time less. They are put back by wi__signals_put_back. */
void wi__signals_let_go(wi__signal_set set);
/**
 * Put back what handled the signals that nobody takes any more, but for `keep`, a signal or 0. When it returns, no
 * handler is running that has found the one being worked off as it was before.
 */
void wi__signals_put_back(int keep);
/** In a forked child: put all back, and forget the one being worked off. */
void wi__signals_leave_parent(void);

/** The signal being worked off, with how long ago it came, and its number in the row of all that were. */
typedef struct wi__signal {
    int number; /* 0: none */
    uint32_t serial;
    uint32_t sender; /* its pid, or 0 */
    double age_s;
} wi__signal;
wi__signal wi__signal_now(void);
/** It is over: the next is a first one. */
void wi__signal_is_over(void);
/** How many there were. Without a lock. */
uint32_t wi__signal_serial(void);
/** The grace period that the record shall show of a signal that is never raised. */
void wi__signal_grace(double grace_s);
/** What this process does with the signal now ends it. */
int wi__signal_ends_process(int number);

#endif
