/*
 * The number of threads of a block, of the libraries that calculate with several.
 *
 *     within (wi_threads(1)) { solve_many_small_systems(); }
 *
 * It sets OpenMP (libgomp, libomp, libiomp5), OpenBLAS (those in the wheels of NumPy and SciPy too), MKL and BLIS:
 * whichever are loaded when the block begins, however they were loaded. None is loaded for it, and none that is loaded in
 * the block is touched.
 *
 * OpenMP's and MKL's number belongs to the thread that sets it: threads that are started in the block have their own.
 * OpenBLAS's is the process's. BLIS's is one or the other, depending on its version, which is found out.
 */
#ifndef WITHIN_THREADS_H
#define WITHIN_THREADS_H

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

typedef struct wi_threads {
    const wi_protocol *protocol;
    int count;
    struct wi__threads_block *open; /* NULL outside of the block */
    wi_holding holding;
} wi_threads;

/**
 * Have libraries calculate with n threads in the block.
 *
 * Blocks may end in any order, by exit stacks or on several threads: what the newest open one asked for holds, and the
 * last puts back the number before the first. In a child forked inside a block its end restores the child's own.
 *
 * @param n  number of threads; at least 1. A library may take fewer: OpenBLAS no more than it was built for.
 * @raise WI_VALUE_ERROR if n < 1; WI_MEMORY_ERROR; WI_USAGE_ERROR if this manager is open already. Nothing has
 *        changed then.
 *
 * Threads: the block must end on the thread on which it began, else what belongs to that thread stays as it is there,
 * which is said on stderr. Cost: some 20 microseconds.
 * Source of the libraries' names for it: threadpoolctl 3.8 (joblib; https://github.com/joblib/threadpoolctl), and the
 * manuals of the libraries.
 */
#define wi_threads(n) wi__threads(n)

/* ---- behind the macro ---- */

WI_API wi_threads wi__threads(int n);

WI__END_DECLS

#endif
