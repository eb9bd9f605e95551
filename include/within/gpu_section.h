/*
 * Sections that use a GPU: beside their own time the report has that on the GPU, and what was in use of its memory.
 *
 *     within (wi_gpu_section("forward")) { launch_kernels(stream); }
 *
 * Kernels run behind the program: a section that starts them is over long before they are. Its time on the GPU is
 * that between its begin and its end as the stream comes by them, and nobody waits for it.
 */
#ifndef WITHIN_GPU_SECTION_H
#define WITHIN_GPU_SECTION_H

#include <within/gpu.h>
#include <within/section.h>

WI__BEGIN_DECLS

typedef struct wi_gpu_section_options {
    void *stream; /* a CUstream or cudaStream_t; NULL: the default stream */
} wi_gpu_section_options;

/* What is measured of a block on the GPU. */
typedef struct wi__gpu_measure {
    int device;      /* of the context that is current; -1: nothing is measured, or nothing more */
    int is_captured; /* nothing is measured but that */
    unsigned process;
    void *stream;
    void *pair; /* of events; NULL: it is not timed */
} wi__gpu_measure;

typedef struct wi_gpu_section {
    const wi_protocol *protocol;
    wi_section section;
    wi_gpu_section_options options;
    wi__gpu_measure measure;
    wi_gpu_memory memory;
    int tracks; /* its memory */
} wi_gpu_section;

/**
 * A section that is measured on the GPU too: wi_gpu_section(name) or wi_gpu_section(name, .stream = stream).
 *
 * Times are added when they are known: when such a section ends later, when the record is read in its own process,
 * or at the process's end. What the GPU was not done with by then has none, and the report counts those. While the
 * stream is being captured into a graph nothing is measured, and the report counts that.
 *
 * @param name  as wi_section's.
 *
 * The context is the one that is current in the thread; without one, or without a GPU, it is a wi_section. Memory is
 * that of wi_gpu_memory without a source, of the context's device.
 *
 * Threads: as wi_section's.   Cost: that of wi_section, of two events, and of wi_gpu_memory.
 * Method: cuEventRecord, cuEventQuery and cuEventElapsedTime of the CUDA Driver API; half a microsecond.
 */
#define wi_gpu_section(...) WI__GPU_SECTION(__VA_ARGS__, )
#define WI__GPU_SECTION(name, ...)                                                                 \
    wi__gpu_section(wi_section(name),                                                              \
                    WI__FIELDS_MAY_BE_MISSING(wi_gpu_section_options, {__VA_ARGS__}))

/* ---- behind the macros ---- */

WI_API wi_gpu_section wi__gpu_section(wi_section section, wi_gpu_section_options options);

/* For the Python door, whose sections are spans: begin; end, by the span's branch. */
WI_API void wi__gpu_measure_begin(wi__gpu_measure *measure, void *stream);
WI_API void wi__gpu_measure_end(wi__gpu_measure *measure, void *branch);

WI__END_DECLS

#endif
