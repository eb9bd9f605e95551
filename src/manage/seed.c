/* wi_temporary_seed: every generator in play is saved, then seeded; and put back in reverse order. */
#include <within/seed.h>

#include <stdio.h>

#include "manage/seed_source.h"
#include "manage/seeding.h"

wi__seed_function *wi__seed_observer;

/* ---- enter ---- */

/* The thread's is the first of all, and the last to be put back. */
static void save_all(const wi_temporary_seed *block) {
    wi__source_save(wi__thread_source(block->thread), block);
    for (wi__source *each = &wi__random_source; each; each = each->next)
        wi__source_save(each, block);
}

static void seed_all(const wi_temporary_seed *block) {
    uint32_t seed = (uint32_t)block->seed;
    wi__source_seed(wi__thread_source(block->thread), seed);
    for (wi__source *each = &wi__random_source; each; each = each->next)
        wi__source_seed(each, seed);
}

static void save_and_seed(void *block) {
    save_all(block);
    seed_all(block);
}

/* ---- exit ---- */

/* Those too that saved nothing: the block was entered half-way, or they were registered in it. */
static void leave_all(wi_temporary_seed *block, wi_error **first) {
    for (wi__source *each = wi__last_source(); each; each = each->previous)
        wi__source_leave(each, block, first);
    wi__source_leave(wi__thread_source(block->thread), block, first);
}

/* ---- the manager ---- */

static void check(const wi_temporary_seed *block) {
    if (block->thread)
        wi_raise(WI_USAGE_ERROR, "wi_temporary_seed(%lld): it is open already; use one a block",
                 (long long)block->seed);
    if (block->seed < 0 || block->seed > UINT32_MAX)
        wi_raise(WI_VALUE_ERROR, "wi_temporary_seed: seed %lld is not from 0 to 2^32 - 1",
                 (long long)block->seed);
}

/* For the ledger. By snprintf it takes as long as all else there. */
static void hold(wi_temporary_seed *block) {
    char text[16] = "", *digit = &text[sizeof text - 1];
    int64_t rest = block->seed;
    do *--digit = (char)('0' + rest % 10);
    while (rest /= 10);
    block->holding = wi_hold("seed", "%s", digit);
}

static void seed_enter(void *self) {
    wi_temporary_seed *block = self;
    check(block);
    wi__thread_rng *thread = wi__thread_rng_here();
    wi__seed_lock("wi_temporary_seed");
    block->thread = thread;
    wi_error *error;
    if (!wi_call(save_and_seed, block, &error)) leave_all(block, &error);
    wi__seed_unlock();
    if (error) {
        block->thread = NULL;
        wi_reraise(error);
    }
    block->rng = wi__thread_rng_of(thread);
    hold(block);
    wi__seed_function *observer = __atomic_load_n(&wi__seed_observer, __ATOMIC_ACQUIRE);
    if (observer) observer(block->seed);
}

static wi_verdict seed_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_temporary_seed *block = self;
    wi_let_go(block->holding);
    wi_error *first = NULL;
    wi__seed_lock("wi_temporary_seed");
    leave_all(block, &first);
    wi__thread_rng_left(block->thread);
    wi__seed_unlock();
    block->thread = NULL;
    block->rng = NULL;
    if (first) wi_reraise(first);
    return WI_PROPAGATE;
}

static void seed_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%lld", (long long)((const wi_temporary_seed *)self)->seed);
}

static const wi_protocol seed_protocol = {"temporary_seed", seed_enter, seed_exit, seed_describe};

wi_temporary_seed wi__temporary_seed(int64_t seed) {
    wi_temporary_seed block = {&seed_protocol, seed, NULL, NULL, {NULL, 0}};
    return block;
}
