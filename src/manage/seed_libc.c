/* The C library's generators: random, which rand draws from too, and the drand48 family. */
#include <stdlib.h>
#include <string.h>

#include "manage/seed_source.h"

/* ---- random: a block has a state of its own, and the one that was in use is not touched ---- */

typedef struct saved_random {
    wi__saved saved;
    char *outer;                       /* that was in use; NULL: it is still */
    _Alignas(int64_t) char inner[128]; /* as large as the one that every program begins with */
} saved_random;

static void save_random(wi__source *source, wi__saved *saved) {
    (void)source;
    ((saved_random *)saved)->outer = NULL;
}

static void seed_random(wi__source *source, wi__saved *saved, uint32_t seed) {
    (void)source;
    saved_random *of = (saved_random *)saved;
    of->outer = initstate(seed, of->inner, sizeof of->inner);
}

static void restore_random(wi__source *source, wi__saved *saved) {
    (void)source;
    char *outer = ((saved_random *)saved)->outer;
    if (outer) setstate(outer);
}

static void inherit_random(wi__source *source, wi__saved *newer, wi__saved *older) {
    (void)source;
    ((saved_random *)newer)->outer = ((saved_random *)older)->outer;
}

static const wi__source_kind random_kind = {
    sizeof(saved_random), 0, save_random, seed_random, restore_random, inherit_random};
wi__source wi__random_source = {&random_kind, NULL, NULL, &wi__drand48_source};

/* ---- drand48: X, and the multiplier a and the summand c of X -> a X + c ---- */

typedef struct saved_drand48 {
    wi__saved saved;
    unsigned short state[7]; /* X, a and c, as lcong48 takes them */
} saved_drand48;

/* Take one step from X = x, which is the caller's own: only a and c are shared. */
static uint64_t step_from(unsigned short x) {
    unsigned short words[3] = {x, 0, 0};
    jrand48(words);
    return words[0] | (uint64_t)words[1] << 16 | (uint64_t)words[2] << 32;
}

/* seed48 tells X, but forgets a and c: read before, and put back with it. */
static void save_drand48(wi__source *source, wi__saved *saved) {
    (void)source;
    unsigned short *state = ((saved_drand48 *)saved)->state, any[3] = {0};
    uint64_t c = step_from(0), a = step_from(1) - c;
    for (int i = 0; i < 3; i++) state[3 + i] = (unsigned short)(a >> 16 * i);
    state[6] = (unsigned short)c;
    memcpy(state, seed48(any), 3 * sizeof *state);
    lcong48(state);
}

static void seed_drand48(wi__source *source, wi__saved *saved, uint32_t seed) {
    (void)source, (void)saved;
    srand48((long)seed);
}

static void restore_drand48(wi__source *source, wi__saved *saved) {
    (void)source;
    lcong48(((saved_drand48 *)saved)->state);
}

static void inherit_drand48(wi__source *source, wi__saved *newer, wi__saved *older) {
    (void)source;
    memcpy(((saved_drand48 *)newer)->state, ((saved_drand48 *)older)->state,
           sizeof(unsigned short[7]));
}

static const wi__source_kind drand48_kind = {
    sizeof(saved_drand48), 0, save_drand48, seed_drand48, restore_drand48, inherit_drand48};
wi__source wi__drand48_source = {&drand48_kind, NULL, &wi__random_source, NULL};
