/*
 * Layers of changes to the thread's floating-point control bits: each open block has one.
 *
 * Invariants: a bit is what the innermost open layer that has it says. A layer that is closed below others
 * leaves it to the next of them that has the bit to put back what was before itself. So blocks may end in any
 * order, and after the last all is as it was.
 */
#ifndef WITHIN_MANAGE_FP_LAYER_H
#define WITHIN_MANAGE_FP_LAYER_H

#include <within/floating_point.h>

/* The thread's innermost layer. Handlers of signals read it: initial-exec needs no memory for the first access. */
extern WI__THREAD_LOCAL wi__fp_layer *wi__fp_innermost
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/** @raise WI_USAGE_ERROR if the layer is open. @param name  of the manager: "rounding". */
void wi__fp_layer_check_closed(const wi__fp_layer *layer, const char *name);
/** @raise WI_USAGE_ERROR if the layer was opened on another thread, or is not open. */
void wi__fp_layer_check_open_here(const wi__fp_layer *layer, const char *name);
/** Set control bits. @return nonzero if the processor has taken them. */
int wi__fp_layer_open(wi__fp_layer *layer, uint32_t bits, uint32_t values);
void wi__fp_layer_close(wi__fp_layer *layer);

#endif
