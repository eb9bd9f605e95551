/*
 * Sources of random numbers that blocks seed, and what those that are open have saved of them.
 *
 * Each source has a stack of what was saved, newest first. A block that is left puts back what it saved if that
 * lies on top; else the block above gets it, to put it back later: in whatever order blocks are left, after the
 * last one the source is as it was before the first.
 *
 * wi__seed_lock guards all of this.
 */
#ifndef WITHIN_MANAGE_SEED_SOURCE_H
#define WITHIN_MANAGE_SEED_SOURCE_H

#include <within/seed.h>

/* What a kind of source saves begins with this. */
typedef struct wi__saved {
    const void *block; /* by which; the address tells blocks apart */
    struct wi__saved *older;
    int is_whole; /* 0: the kind's save raised */
} wi__saved;

typedef struct wi__source wi__source;

typedef struct wi__source_kind {
    size_t size; /* of what it saves */
    int may_raise;
    void (*save)(wi__source *source, wi__saved *saved);
    void (*seed)(wi__source *source, wi__saved *saved, uint32_t seed);
    void (*restore)(wi__source *source, wi__saved *saved);
    /* From now on `newer` is to restore what `older` would have. */
    void (*inherit)(wi__source *source, wi__saved *newer, wi__saved *older);
} wi__source_kind;

struct wi__source {
    const wi__source_kind *kind;
    wi__saved *newest;
    wi__source *previous, *next; /* of the process's */
};

/** Save for a block, which leaves it also if this raises: what the kind raises, and WI_MEMORY_ERROR. */
void wi__source_save(wi__source *source, const void *block);
/** Seed, for the block that saved last. */
void wi__source_seed(wi__source *source, uint32_t seed);
/**
 * Leave a block, whether it saved this one or not. What it saved is gone whatever happens.
 *
 * @param[in,out] first  NULL, or an error that was raised before. Of several the first stays; others are suppressed.
 */
void wi__source_leave(wi__source *source, const void *block, wi_error **first);

/* ---- what there is ---- */

/** The process's: random and drand48 first, then those that were registered, in that order. */
extern wi__source wi__random_source, wi__drand48_source;
wi__source *wi__last_source(void);

/** The thread's; made at its first call, without a seed. @raise WI_MEMORY_ERROR. Not under the lock. */
typedef struct wi__thread_rng wi__thread_rng;
wi__thread_rng *wi__thread_rng_here(void);
wi_rng *wi__thread_rng_of(wi__thread_rng *thread);
wi__source *wi__thread_source(wi__thread_rng *thread);
/** After a block was left, under the lock: of a thread that has ended the generator is freed with its last block. */
void wi__thread_rng_left(wi__thread_rng *thread);

/* ---- the lock ---- */

/**
 * Take the lock; cancellation is off if there are registered generators.
 *
 * @raise WI_USAGE_ERROR if this thread has it: "WHO: …".
 */
void wi__seed_lock(const char *who);
void wi__seed_unlock(void);

#endif
