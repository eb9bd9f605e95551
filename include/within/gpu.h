/*
 * GPU memory: what a block took, and the most that was in use meanwhile.
 *
 *     within (wi_gpu_memory(0, "Forward pass")) { forward(model, batch); }
 *
 * prints on stderr  [Forward pass] GPU Memory: delta=+128.5MB, current=578.7MB, peak=612.3MB
 *
 * It works with the CUDA driver if the program has loaded it, without being linked to it, and never initialises it.
 * Without a GPU the block runs all the same, and the line says that nothing is tracked, and why.
 */
#ifndef WITHIN_GPU_H
#define WITHIN_GPU_H

#include <stdio.h>

#include <within/block.h>

WI__BEGIN_DECLS

/** What a source has read. */
typedef struct wi_gpu_figures {
    double current; /* bytes in use */
    double peak;    /* the most of them since the last reset; NaN if it is not known */
} wi_gpu_figures;

/**
 * Where figures come from: the CUDA driver by default, or a program's own allocator.
 *
 * The functions are called with `of`, by one thread at a time. What they raise never reaches the program: the
 * block is not tracked then, and its line has the error's message.
 */
typedef struct wi_gpu_source {
    const char *name;   /* "CUDA memory pool" */
    const char *remark; /* printed behind the figures: "device-wide"; NULL for none */
    /* Nonzero: it counts what this process allocated, and all of it, so that blocks that were open before its first
     * allocation began with 0. */
    int is_of_process;
    void *of;
    void (*read)(void *of, wi_gpu_figures *figures);
    void (*reset)(void *of); /* let the peak begin anew; NULL: it is that of the whole process */
} wi_gpu_source;

typedef struct wi_gpu_memory_options {
    FILE *stream; /* where to print; NULL for stderr */
    int quiet;    /* nonzero: print nothing */
    const wi_gpu_source
        *source; /* outlives the block; NULL: the driver's, as far as the program uses it */
} wi_gpu_memory_options;

typedef struct wi_gpu_memory {
    const wi_protocol *protocol;
    int device;
    const char *label;
    wi_gpu_memory_options options;
    double delta;   /* bytes in use at the block's end, less those at its begin */
    double current; /* bytes in use at its end */
    double peak;    /* the most in use at any time of it. NaN: not known, as all three */
    const wi_gpu_source *source; /* where they are from; NULL: nothing tracks */
    char why_not[160];           /* why nothing does; empty otherwise */
    double start, highest;       /* in the block, so far */
    double base;  /* since when the record counts its delta; NaN: it is in another's */
    void *branch; /* of the section that it is recorded in; NULL: of none */
    double mark;  /* the peak at its begin, of a source that is never reset */
    int waits;    /* for a source to come */
    struct wi_gpu_memory *next; /* of those that are open */
    unsigned process;           /* whose block it is; 0 while it does not run */
} wi_gpu_memory;

/**
 * Track the memory of a GPU in a block: wi_gpu_memory(device, label) or wi_gpu_memory(device, label, .quiet = 1,
 * .stream = stdout, .source = &mine).
 *
 * The record has its figures in the section that is open around it, and `within report` shows them.
 *
 * Peaks are exact however blocks nest or overlap, on any threads: where a block of a source begins or ends, the
 * peak so far is added to all that are open, and begins anew. One that the program itself resets is lost.
 *
 * @param device  number of the GPU, from 0, as the driver counts those that the process may see.
 * @param label   printed in brackets; NULL or empty for none. Borrowed until the block ends.
 * @raise WI_VALUE_ERROR on enter if the device is negative, WI_USAGE_ERROR if the manager is running already.
 *
 * Sources: with none given the device's current memory pool, if anything was ever allocated from it
 * (cuMemAllocAsync); else cuMemGetInfo, which counts the whole device, other processes too, and knows no peak.
 *
 * Processes: in a child forked inside the block it ends without figures.   Threads: a block a thread.
 * Cost: two readings of the source and two resets, and little more.
 * Method: of nested peaks, the request github.com/pytorch/pytorch/issues/16266.
 */
#define wi_gpu_memory(...) WI__GPU_MEMORY(__VA_ARGS__, )
#define WI__GPU_MEMORY(device, label, ...)                                                         \
    wi__gpu_memory(device, label, WI__FIELDS_MAY_BE_MISSING(wi_gpu_memory_options, {__VA_ARGS__}))

/**
 * Write the line of a block that has ended, without the line's end.
 *
 * @param[out] buffer  array of shape (size,); ended by '\0'; may be NULL when size is 0.
 * @return the length of the whole line in bytes, which is cut to size - 1.
 */
WI_API size_t wi_gpu_memory_format(const wi_gpu_memory *memory, char *buffer, size_t size);

/* ---- behind the macros ---- */

WI_API wi_gpu_memory wi__gpu_memory(int device, const char *label, wi_gpu_memory_options options);

/* For the Python door, which has sources of its own. */

/* A block that runs and has no source is given one, which has counted from 0 since its begin. 0: it has one. */
WI_API int wi__gpu_memory_adopt(wi_gpu_memory *memory, const wi_gpu_source *source);
/* A block that has just begun: have it recorded in the section that is open now. */
WI_API void wi__gpu_memory_count_here(wi_gpu_memory *memory);
/* Does the process have a CUDA context on the device? */
WI_API int wi__gpu_is_in_use(int device);

WI__END_DECLS

#endif
