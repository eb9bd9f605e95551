/* A table of what has a name: open addressing, at most half full, so that looks end soon. */
#include "runs/names.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST_SLOTS = 64 };

typedef struct wi__names_slots {
    struct wi__names_slots *smaller; /* the one before it */
    size_t count;                    /* a power of two */
    wi__named *at[];
} slots;

/* ---- the hash: eight bytes at a time, each step the folded product of 128 bits ---- */

static uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Source of the step and of the constants: Wang Yi, wyhash, https://github.com/wangyi-fudan/wyhash */
static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = 0xa0761d6478bd642f ^ length, word;
    for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = fold(hash ^ word, 0xe7037ed1a0b428db);
    }
    word = 0;
    memcpy(&word, text, length);
    return fold(hash ^ word, 0x8ebc6af09c88c6e3);
}

wi__named wi__named_of(const char *name) {
    size_t length = strlen(name);
    return (wi__named){name, length, hash_of(name, length)};
}

/* ---- looking ---- */

static int is_same(const wi__named *a, const wi__named *b) {
    return a->hash == b->hash && a->length == b->length && memcmp(a->name, b->name, a->length) == 0;
}

void *wi__names_find(const wi__names *names, const wi__named *wanted) {
    slots *table = __atomic_load_n(&names->slots, __ATOMIC_ACQUIRE);
    if (!table) return NULL;
    for (size_t i = wanted->hash;; i++) {
        wi__named *found = __atomic_load_n(&table->at[i & (table->count - 1)], __ATOMIC_ACQUIRE);
        if (!found || is_same(found, wanted)) return found;
    }
}

/* ---- adding ---- */

static void put(slots *table, wi__named *named) {
    size_t i = named->hash & (table->count - 1);
    while (table->at[i]) i = (i + 1) & (table->count - 1);
    __atomic_store_n(&table->at[i], named, __ATOMIC_RELEASE);
}

static int grow(wi__names *names) {
    slots *old = names->slots;
    size_t count = old ? 2 * old->count : FEWEST_SLOTS;
    slots *table = calloc(1, sizeof *table + count * sizeof table->at[0]);
    if (!table) return 0;
    table->smaller = old;
    table->count = count;
    for (size_t i = 0; old && i < old->count; i++)
        if (old->at[i]) put(table, old->at[i]);
    __atomic_store_n(&names->slots, table, __ATOMIC_RELEASE);
    return 1;
}

int wi__names_add(wi__names *names, wi__named *named) {
    int is_full = !names->slots || 2 * names->count >= names->slots->count;
    if (is_full && !grow(names)) return 0;
    put(names->slots, named);
    names->count++;
    return 1;
}

void wi__names_release(wi__names *names, void (*release)(void *named)) {
    slots *table = names->slots;
    for (size_t i = 0; table && i < table->count; i++)
        if (table->at[i]) release(table->at[i]);
    while (table) {
        slots *smaller = table->smaller;
        free(table);
        table = smaller;
    }
    memset(names, 0, sizeof *names);
}
