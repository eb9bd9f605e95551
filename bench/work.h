/*
 * What both sides of a comparison do: in a file of its own, so that no compiler sees through it.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <within/block.h>

/** A manager of something outside: a count of how often it is held. */
typedef struct holder {
    const wi_protocol *protocol;
    long *held;
} holder;

WI__BEGIN_DECLS

void work_hold(void *holder);
wi_verdict work_let_go(void *holder, wi_reason reason, const wi_error *error);
void work_callback(void *held);

/* And one of nothing at all. */
void work_enter_nothing(void *self);
wi_verdict work_exit_nothing(void *self, wi_reason reason, const wi_error *error);

/** The rare branch of a loop. */
void work_rarely(double x);

/** Throw through so many frames whose destructors let go of a holder, and catch: n times. */
void throw_and_catch(size_t n, int frames);

WI__END_DECLS

#endif
