/*
 * Managers of the core in objects of Python.
 *
 * Most are entered and left without the GIL. Other threads may have the object meanwhile, so that it keeps a phase.
 */
#ifndef WITHIN_EXT_CORE_MANAGER_H
#define WITHIN_EXT_CORE_MANAGER_H

#include <within/block.h>

#include "core_call.h"

/* within_call or within_call_with_gil */
typedef int within_caller(void (*fn)(void *arg), void *arg);

/** Enter a manager, whose first member is its protocol. @return 0, or -1 with an exception set; it is not entered then. */
int within_core_enter(within_caller *call, void *manager);
/** Leave it. @return 0, or -1 with an exception set; it is left all the same. */
int within_core_exit(within_caller *call, void *manager, wi_reason reason);
/** The same where nobody takes an exception, as when an object is freed: it is reported, and one on its way stays. */
void within_core_drop(within_caller *call, void *manager, wi_reason reason, PyObject *source);

typedef enum within_phase { WITHIN_CLOSED, WITHIN_BUSY, WITHIN_OPEN, WITHIN_OVER } within_phase;

/** Threads may try at the same time: one of them gets its way. */
static inline int within_move(within_phase *phase, within_phase from, within_phase to) {
    return __atomic_compare_exchange_n(phase, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

#endif
