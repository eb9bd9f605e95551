/*
 * Floating-point exceptions that interrupt the instruction: SIGFPE, told apart by whose it is.
 *
 * The processor interrupts an instruction of the thread itself, never one of this library or of the C library's
 * locks and memory. So the handler may do what handlers of other signals may not: raise an error.
 */
#ifndef WITHIN_MANAGE_FP_TRAP_H
#define WITHIN_MANAGE_FP_TRAP_H

#include <within/floating_point.h>

/** Have SIGFPE handled, until as many calls of wi__fp_trap_unwatch have been made. */
void wi__fp_trap_watch(void);
void wi__fp_trap_unwatch(void);

/* What the handler asks of fp_guard.c. */

/** The thread's innermost guard that looks for a flag, or NULL. */
wi_fp_guard *wi__fp_guard_of(int except);
/**
 * Will an error that is raised now run the guard's exit? Not if it is in an exit stack, or if the compiler has its
 * block's begin still before it.
 */
int wi__fp_is_on_chain(const wi_fp_guard *guard);
_Noreturn void wi__fp_raise_trapped(const wi_fp_guard *guard, int except, const void *instruction);

#endif
