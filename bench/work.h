/*
 * What both sides of a comparison do: in a file of its own, so that no compiler sees through it.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <within/block.h>

/** A manager that does next to nothing, so that what it costs is the block. */
typedef struct counter {
    const wi_protocol *protocol;
    long open;
} counter;

WI__BEGIN_DECLS

void work_enter(void *counter);
wi_verdict work_exit(void *counter, wi_reason reason, const wi_error *error);
void work_callback(void *counter);
/** The rare branch of a loop. */
void work_rarely(double x);

/** Throw through so many frames with a destructor that does work_exit, and catch: n times. */
void throw_and_catch(size_t n, int frames);

WI__END_DECLS

#endif
