/*
 * Time on the GPU between two places of a program, by events of the CUDA driver.
 *
 * The GPU runs behind the program. An event at the begin and one at the end are put into its stream; when both have
 * come by, their distance is the time. They are looked at later, when something is measured again or the record is
 * read, and nobody waits for the GPU. Pairs of events are used again.
 */
#ifndef WITHIN_MANAGE_GPU_TIMING_H
#define WITHIN_MANAGE_GPU_TIMING_H

#include "manage/cuda_driver.h"
#include "record/gpu.h"

typedef struct wi__gpu_pair wi__gpu_pair;

/** Is the stream being captured into a graph, so that an event would become a part of that? */
int wi__gpu_is_captured(const wi__cuda *cuda, wi__cu_stream stream);

/** Begin: in the context that is current. NULL if it cannot be timed. */
wi__gpu_pair *wi__gpu_timing_begin(const wi__cuda *cuda, wi__cu_stream stream);
/** End; its time is added to the counts when it is known. @param counts  NULL: it is for nobody. */
void wi__gpu_timing_end(const wi__cuda *cuda, wi__gpu_pair *pair, wi__cu_stream stream,
                        wi__gpu_counts *counts);
/** Look which times are known by now, of the context that is current in the thread. */
void wi__gpu_timing_collect(void);
/** The context, if it is current, may be about to end: its events do. Times that are not known by now never will be. */
void wi__gpu_timing_end_context(const wi__cuda *cuda, wi__cu_context context);

#endif
