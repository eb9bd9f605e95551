/*
 * What the calls of a path did on a GPU: counted beside its node, for the few paths that use one.
 */
#ifndef WITHIN_RECORD_GPU_H
#define WITHIN_RECORD_GPU_H

#include "record/lane.h"

/** The counts of a branch, made if need be, and good for the life of the process; NULL if there is no memory. */
wi__gpu_counts *wi__gpu_counts_of(wi__branch *branch);
/** The branch that the calling thread counts in: of its innermost open section; NULL if none is open. */
wi__branch *wi__gpu_branch_here(void);
/** The branch "(no section)" of the calling thread, for what none is open around; NULL if there is no memory. */
wi__branch *wi__gpu_branch_of_none(void);
/** Begin again with none. */
void wi__gpu_zero(wi__gpu_counts *counts);

/** A call has ended. @param was_captured  nonzero: and was not timed. */
void wi__gpu_add_call(wi__gpu_counts *counts, int was_captured);
/** The time of a call is known. */
void wi__gpu_add_time(wi__gpu_counts *counts, double seconds);
/** What a block found in use, in bytes; a peak of NaN is not known. */
void wi__gpu_add_memory(wi__gpu_counts *counts, double delta, double peak);

/** What the record calls before it is read in its own process: times that are known by now are added. */
extern void (*wi__gpu_collect)(void);

#endif
