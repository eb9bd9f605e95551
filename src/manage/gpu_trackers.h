/*
 * The blocks that track a GPU's memory, of all threads, and the peaks that they share.
 *
 * A source has one peak, which is reset for each block that begins. So at every boundary, where a block of the source
 * begins or ends, the peak so far is added to all that are open: none of it is lost, whatever order they end in.
 *
 * A block for which there is no source at its begin waits. If the first allocation of the process comes while it is
 * open, then a source of its own memory has counted from 0, and the block takes it over.
 */
#ifndef WITHIN_MANAGE_GPU_TRACKERS_H
#define WITHIN_MANAGE_GPU_TRACKERS_H

#include <within/gpu.h>

/** This process: one more than in the parent whose child it is. Not 0, and no system call. */
unsigned wi__gpu_process(void);

/**
 * Add a block to those that are open, after a boundary of its source.
 *
 * The tracker's `source` is NULL afterwards if there is none, or if it cannot be read: `why_not` says which.
 */
void wi__gpu_tracker_open(wi_gpu_memory *tracker);
/**
 * Take it off, after a boundary of its source; its figures are filled in, or why there are none.
 *
 * @return what its section has grown by, in bytes: blocks of one section that overlap are counted as one, by that
 *         which ends last. 0 of the others.
 */
double wi__gpu_tracker_close(wi_gpu_memory *tracker);

#endif
