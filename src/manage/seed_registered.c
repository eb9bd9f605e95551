/* Generators of other libraries: registered with three functions, in a list behind the C library's own. */
#include <stdlib.h>

#include "manage/seed_source.h"

struct wi_registered_rng {
    wi__source source;
    wi_rng_functions functions;
    void *rng;
};

static wi__source *last = &wi__drand48_source;

wi__source *wi__last_source(void) { return last; }

/* ---- saved and put back ---- */

typedef struct saved_state {
    wi__saved saved;
    void *state; /* the functions' */
} saved_state;

/* The source is the first member. */
static const wi_registered_rng *registered_of(wi__source *source) {
    return (const wi_registered_rng *)source;
}

static void save(wi__source *source, wi__saved *saved) {
    const wi_registered_rng *of = registered_of(source);
    ((saved_state *)saved)->state = of->functions.save(of->rng);
}

static void seed_with(wi__source *source, wi__saved *saved, uint32_t seed) {
    (void)saved;
    const wi_registered_rng *of = registered_of(source);
    of->functions.seed(of->rng, seed);
}

static void restore(wi__source *source, wi__saved *saved) {
    const wi_registered_rng *of = registered_of(source);
    of->functions.restore(of->rng, ((saved_state *)saved)->state);
}

/* Only restore frees a state: the one that nobody wants is put back, and then the present one again. */
static void inherit(wi__source *source, wi__saved *newer, wi__saved *older) {
    const wi_registered_rng *of = registered_of(source);
    void *unwanted = ((saved_state *)newer)->state;
    ((saved_state *)newer)->state = ((saved_state *)older)->state;
    void *now = of->functions.save(of->rng);
    of->functions.restore(of->rng, unwanted);
    of->functions.restore(of->rng, now);
}

static const wi__source_kind registered_kind = {sizeof(saved_state), 1,       save,
                                                seed_with,           restore, inherit};

/* ---- the list ---- */

static void append(wi__source *source) {
    source->previous = last;
    last->next = source;
    last = source;
}

/* The C library's own stay in front. */
static void take_out(wi__source *source) {
    source->previous->next = source->next;
    if (source->next)
        source->next->previous = source->previous;
    else
        last = source->previous;
}

wi_registered_rng *wi__register_rng(void *rng, wi_rng_functions functions) {
    if (!functions.save || !functions.seed || !functions.restore)
        wi_raise(WI_VALUE_ERROR, "wi_register_rng: %s: .save, .seed and .restore are all needed",
                 functions.name ? functions.name : "a generator");
    wi__seed_lock("wi_register_rng");
    wi_registered_rng *registered = calloc(1, sizeof *registered);
    if (registered) {
        registered->source.kind = &registered_kind;
        registered->functions = functions;
        registered->rng = rng;
        append(&registered->source);
    }
    wi__seed_unlock();
    if (!registered) wi_raise(WI_MEMORY_ERROR, "wi_register_rng: no memory for one more generator");
    return registered;
}

void wi_unregister_rng(wi_registered_rng *registered) {
    if (!registered) return;
    wi_error *error = NULL;
    wi__seed_lock("wi_unregister_rng");
    wi__source *source = &registered->source;
    while (source->newest) wi__source_leave(source, source->newest->block, &error);
    take_out(source);
    wi__seed_unlock();
    free(registered);
    if (error) wi_reraise(error);
}
