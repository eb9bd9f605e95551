/* Random bits and normal numbers. */
#include "random.h"

#include <math.h>

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

static uint64_t next(random_state *random) {
    uint64_t *s = random->words, result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

void random_seed(random_state *random, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        random->words[i] = z ^ z >> 31;
    }
    random->bits_left = 0;
    random->has_spare_normal = 0;
}

unsigned char random_bit(random_state *random) {
    if (!random->bits_left) {
        random->bits = next(random);
        random->bits_left = 64;
    }
    random->bits_left--;
    unsigned char bit = random->bits & 1;
    random->bits >>= 1;
    return bit;
}

/* Uniform on (-1, 1). */
static double uniform(random_state *random) { return (double)(int64_t)next(random) * 0x1p-63; }

double random_normal(random_state *random) {
    if (random->has_spare_normal) {
        random->has_spare_normal = 0;
        return random->spare_normal;
    }
    double x, y, square;
    do {
        x = uniform(random);
        y = uniform(random);
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double scale = sqrt(-2 * log(square) / square);
    random->spare_normal = y * scale;
    random->has_spare_normal = 1;
    return x * scale;
}
