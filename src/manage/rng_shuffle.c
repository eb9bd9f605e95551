/* Shuffles, from the last item to the second, with NumPy's draws. */
#include <string.h>

#include "manage/rng_integer.h"

WI__INLINE void swap(char *a, char *b, size_t size) {
    char kept[64];
    while (size) {
        size_t part = size < sizeof kept ? size : sizeof kept;
        memcpy(kept, a, part);
        memmove(a, b, part); /* an item may be swapped with itself */
        memcpy(b, kept, part);
        a += part, b += part, size -= part;
    }
}

WI__INLINE void shuffle(wi_rng *rng, char *items, size_t n, size_t size) {
    for (size_t i = n; i-- > 1;)
        swap(items + wi__rng_masked(rng, i) * size, items + i * size, size);
}

void wi_rng_shuffle(wi_rng *rng, void *items, size_t n, size_t size) {
    if (size == sizeof(double)) /* compiled for that size, most items' */
        shuffle(rng, items, n, sizeof(double));
    else
        shuffle(rng, items, n, size);
}

void wi_rng_permutation(wi_rng *rng, int64_t *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (int64_t)i;
    wi_rng_shuffle(rng, x, n, sizeof *x);
}
