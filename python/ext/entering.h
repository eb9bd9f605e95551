/*
 * Generators that are being entered as managers: what they open belongs to the code that enters them.
 *
 * The standard contextlib enters them from a frame of its own, which sections look for; C has none, and says so:
 *
 *     within_entered entered = {generator, within_entering};
 *     within_entering = &entered;
 *     …                                run the generator up to its yield
 *     within_entering = entered.around;
 */
#ifndef WITHIN_EXT_ENTERING_H
#define WITHIN_EXT_ENTERING_H

#include "module.h"

typedef struct within_entered {
    PyObject *generator;
    const struct within_entered *around;
} within_entered;

/** The innermost; its owner is enclosing.c, which reads it. */
extern __thread const within_entered *within_entering __attribute__((tls_model("initial-exec")));

#endif
