/* The thread's own generator: made at its first use, and kept as long as a block may put it back. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "manage/seed_source.h"

struct wi__thread_rng {
    wi__source source;
    wi_rng rng; /* zeros: not seeded yet */
    int has_ended;
};

static WI__THREAD_LOCAL wi__thread_rng *here __attribute__((tls_model("initial-exec")));
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static int thread_end_works;

/* ---- saved and put back ---- */

typedef struct saved_rng {
    wi__saved saved;
    wi_rng rng;
} saved_rng;

/* The source is the first member. */
static wi_rng *rng_of(wi__source *source) { return &((wi__thread_rng *)source)->rng; }

static void save(wi__source *source, wi__saved *saved) {
    ((saved_rng *)saved)->rng = *rng_of(source);
}

static void seed_with(wi__source *source, wi__saved *saved, uint32_t seed) {
    (void)saved;
    *rng_of(source) = wi_rng_pcg64(seed);
}

static void restore(wi__source *source, wi__saved *saved) {
    *rng_of(source) = ((saved_rng *)saved)->rng;
}

static void inherit(wi__source *source, wi__saved *newer, wi__saved *older) {
    (void)source;
    ((saved_rng *)newer)->rng = ((saved_rng *)older)->rng;
}

static const wi__source_kind thread_kind = {sizeof(saved_rng), 0,       save,
                                            seed_with,         restore, inherit};

/* ---- its life ---- */

void wi__thread_rng_left(wi__thread_rng *thread) {
    if (thread->has_ended && !thread->source.newest) free(thread);
}

/* Blocks that are open still will be left on other threads. */
static void end_of_thread(void *arg) {
    wi__thread_rng *thread = arg;
    here = NULL;
    wi__seed_lock("wi_thread_rng");
    thread->has_ended = 1;
    wi__thread_rng_left(thread);
    wi__seed_unlock();
}

static void set_up_process(void) {
    thread_end_works = pthread_key_create(&thread_end, end_of_thread) == 0;
}

wi__thread_rng *wi__thread_rng_here(void) {
    if (here) return here;
    pthread_once(&once, set_up_process);
    wi__thread_rng *made = calloc(1, sizeof *made);
    if (!made) wi_raise(WI_MEMORY_ERROR, "wi_thread_rng: no memory for the thread's generator");
    made->source.kind = &thread_kind;
    here = made;
    if (thread_end_works) pthread_setspecific(thread_end, made);
    return made;
}

wi_rng *wi__thread_rng_of(wi__thread_rng *thread) { return &thread->rng; }

wi__source *wi__thread_source(wi__thread_rng *thread) { return &thread->source; }

/* ---- for users ---- */

/* As default_rng() does: 128 bits. */
static void seed_from_entropy(wi_rng *rng) {
    uint32_t words[4];
    wi_check_errno(getentropy(words, sizeof words), "wi_thread_rng: ask the system for entropy");
    *rng = wi_rng_pcg64_of(words, 4);
}

wi_rng *wi_thread_rng(void) {
    if (WI__LIKELY(here && here->rng.kind)) return &here->rng;
    wi_rng *rng = &wi__thread_rng_here()->rng;
    if (!rng->kind) seed_from_entropy(rng);
    return rng;
}
