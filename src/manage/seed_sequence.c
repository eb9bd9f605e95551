/* NumPy's SeedSequence: a pool of four words that every word of the seed is hashed and mixed into. */
#include "manage/seed_sequence.h"

/* Each hash changes the multiplier of the next, so that equal words at different places differ. */
static uint32_t hash(uint32_t word, uint32_t *constant) {
    word ^= *constant;
    *constant *= 0x931E8875u;
    word *= *constant;
    return word ^ (word >> 16);
}

static uint32_t mix(uint32_t one, uint32_t other) {
    uint32_t word = 0xCA01F9DDu * one - 0x4973F715u * other;
    return word ^ (word >> 16);
}

static void fill_pool(const uint32_t *seed, size_t length, uint32_t pool[WI__SEED_POOL]) {
    uint32_t constant = 0x43B0D7E5u;
    for (size_t i = 0; i < WI__SEED_POOL; i++) pool[i] = hash(i < length ? seed[i] : 0, &constant);
    for (size_t from = 0; from < WI__SEED_POOL; from++)
        for (size_t to = 0; to < WI__SEED_POOL; to++)
            if (from != to) pool[to] = mix(pool[to], hash(pool[from], &constant));
    for (size_t i = WI__SEED_POOL; i < length; i++)
        for (size_t to = 0; to < WI__SEED_POOL; to++)
            pool[to] = mix(pool[to], hash(seed[i], &constant));
}

static uint32_t draw(const uint32_t pool[WI__SEED_POOL], size_t i, uint32_t *constant) {
    uint32_t word = pool[i % WI__SEED_POOL] ^ *constant;
    *constant *= 0x58F38DEDu;
    word *= *constant;
    return word ^ (word >> 16);
}

void wi__seed_state(const uint32_t *seed, size_t length, uint64_t *state, size_t n) {
    uint32_t pool[WI__SEED_POOL], constant = 0x8B51F9DDu;
    fill_pool(seed, length, pool);
    for (size_t i = 0; i < n; i++) {
        uint64_t lower = draw(pool, 2 * i, &constant);
        state[i] = lower | (uint64_t)draw(pool, 2 * i + 1, &constant) << 32;
    }
}
