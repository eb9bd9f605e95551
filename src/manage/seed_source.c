/* What blocks have saved of a source: put on its stack, and put back in whatever order they are left. */
#include "manage/seed_source.h"

#include <stdlib.h>

void wi__source_save(wi__source *source, const void *block) {
    wi__saved *saved = malloc(source->kind->size);
    if (!saved) wi_raise(WI_MEMORY_ERROR, "wi_temporary_seed: no memory for a generator's state");
    saved->block = block;
    saved->older = source->newest;
    saved->is_whole = 0;
    source->newest = saved;
    source->kind->save(source, saved);
    saved->is_whole = 1;
}

void wi__source_seed(wi__source *source, uint32_t seed) {
    source->kind->seed(source, source->newest, seed);
}

/* ---- leaving ---- */

typedef struct leaving {
    wi__source *source;
    wi__saved *saved;
    wi__saved *newer; /* the one above; NULL if it lay on top */
} leaving;

/* Take off what the block saved; `saved` is NULL if it saved nothing. */
static leaving take_off(wi__source *source, const void *block) {
    leaving of = {source, NULL, NULL};
    wi__saved **link = &source->newest;
    for (; *link && (*link)->block != block; link = &(*link)->older) of.newer = *link;
    of.saved = *link;
    if (of.saved) *link = of.saved->older;
    return of;
}

static void put_back(void *arg) {
    const leaving *of = arg;
    const wi__source_kind *kind = of->source->kind;
    if (of->newer)
        kind->inherit(of->source, of->newer, of->saved);
    else
        kind->restore(of->source, of->saved);
}

void wi__source_leave(wi__source *source, const void *block, wi_error **first) {
    leaving of = take_off(source, block);
    if (of.saved && of.saved->is_whole) {
        if (source->kind->may_raise)
            wi_call(put_back, &of, *first ? NULL : first);
        else
            put_back(&of);
    }
    free(of.saved);
}
