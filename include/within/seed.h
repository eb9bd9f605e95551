/*
 * Seeds for a block: every generator of random numbers in play is seeded, and put back as it was on every
 * way out.
 *
 *     within (seeded, wi_temporary_seed(42)) { noise = wi_rng_normal(seeded->rng); }
 *
 * In play are the thread's own wi_rng, random() and rand(), the drand48 family, and what was registered by
 * wi_register_rng. The first belongs to the thread, the others to the process: what other threads draw from them
 * meanwhile is seeded too, and takes numbers away.
 *
 * All are captured before any is seeded. Blocks may be left in any order: what a block found goes to the one that
 * was entered after it, if that is open still. After the last one all is as it was before the first.
 */
#ifndef WITHIN_SEED_H
#define WITHIN_SEED_H

#include <stdint.h>

#include <within/block.h>
#include <within/record.h>
#include <within/rng.h>

WI__BEGIN_DECLS

/**
 * The thread's own generator: a PCG64, seeded from the system's entropy at the thread's first call.
 *
 * @return borrowed; the same in every call of the thread, until it ends. Assign to it to seed it for good:
 *         *wi_thread_rng() = wi_rng_pcg64(42).
 * @raise WI_OS_ERROR if the system has no entropy, WI_MEMORY_ERROR: at the first call only.
 *
 * In a forked child it goes on with a copy, as random() does: both draw the same numbers. Give each child one of
 * its own: *wi_thread_rng() = wi_rng_child(wi_thread_rng(), rank).
 *
 * Threads: for the calling one alone. Cost: as a look at a thread-local variable.
 */
WI_API wi_rng *wi_thread_rng(void);

typedef struct wi_temporary_seed {
    const wi_protocol *protocol;
    int64_t seed;
    wi_rng *rng; /* the thread's, seeded as wi_rng_pcg64(seed); NULL outside of the block */
    struct wi__thread_rng *thread;
    wi_holding holding;
} wi_temporary_seed;

/**
 * Seed every generator in play for the block: wi_temporary_seed(42). The thread's as wi_rng_pcg64(42), which is
 * NumPy's default_rng(42); the others as srandom(42) and srand48(42) do, and their own functions.
 *
 * @param seed  0 to 2^32 - 1.
 * @raise on enter WI_VALUE_ERROR for any other seed, WI_USAGE_ERROR if this manager is open already or a function
 *        of a registered generator enters it, WI_MEMORY_ERROR, and what those functions raise. All is as it was.
 * @raise on exit what the restore of a registered generator raises; all others are put back. Of several errors the
 *        first is raised, and the others are counted as suppressed.
 *
 * In a forked child the block's end puts back the child's copies. A block that is left on another thread than it
 * was entered on puts back the generator of the latter, which must not draw meanwhile.
 *
 * Threads: blocks of several threads may overlap. Cost: some 0.7 microseconds a block, and 3 KB while it is open.
 */
#define wi_temporary_seed(seed) wi__temporary_seed(seed)

/* ---- other generators ---- */

/** What seeds and restores a generator of another library. */
typedef struct wi_rng_functions {
    const char *name; /* of the generator, for messages; borrowed while it is registered */
    /* A copy of the state, owned by the caller, who gives it to restore exactly once. May raise. */
    void *(*save)(void *rng);
    /* Start from a seed. May raise. */
    void (*seed)(void *rng, uint32_t seed);
    /* Put the state back, and free the copy. If it raises, the copy is lost. */
    void (*restore)(void *rng, void *saved);
} wi_rng_functions;

/* A generator that wi_temporary_seed knows. */
typedef struct wi_registered_rng wi_registered_rng;

/**
 * Have every wi_temporary_seed that is entered from now on seed and restore this generator as well, in blocks of
 * all threads: wi_register_rng(rng, .name = "GSL", .save = copy, .seed = set, .restore = put_back).
 *
 * @param rng  what the functions are given; may be NULL. Borrowed while it is registered.
 * @return for wi_unregister_rng, which ends it.
 * @raise WI_VALUE_ERROR if a function is missing, WI_USAGE_ERROR from one of these functions, WI_MEMORY_ERROR.
 *
 * The functions are called by one thread at a time, with cancellation off. They must not enter or leave blocks of
 * wi_temporary_seed, nor throw C++ exceptions.
 */
#define wi_register_rng(rng, ...)                                                                  \
    wi__register_rng(rng, WI__FIELDS_MAY_BE_MISSING(wi_rng_functions, {__VA_ARGS__}))

/**
 * Forget a generator, before it is freed. Blocks that are open put it back now, the newest first, so that it is as it
 * was before the oldest. NULL does nothing.
 *
 * @raise what its restore raises, the first of several; it is forgotten nevertheless. WI_USAGE_ERROR from one of
 *        its functions.
 */
WI_API void wi_unregister_rng(wi_registered_rng *registered);

/* ---- behind the macros ---- */

WI_API wi_temporary_seed wi__temporary_seed(int64_t seed);
WI_API wi_registered_rng *wi__register_rng(void *rng, wi_rng_functions functions);

WI__END_DECLS

#endif
