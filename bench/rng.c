/* Random numbers: doubles one by one against drand48, and arrays against one by one. */
#include <stdlib.h>

#include <within/rng.h>

#include "harness.h"

enum { LENGTH = 1024 };

static wi_rng rng;
static double numbers[LENGTH];
static int64_t integers[LENGTH];
static volatile double total;

static void drand48_one_by_one(size_t n, int size) {
    (void)size;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += drand48();
    total = sum;
}

/* What a row's `size` says. */
static wi_rng of_kind(int kind) { return kind == WI__PCG64 ? wi_rng_pcg64(1) : wi_rng_mt19937(1); }

#define ONE_BY_ONE(name, draw)                                                                     \
    static void name##_one_by_one(size_t n, int kind) {                                            \
        double sum = 0;                                                                            \
        rng = of_kind(kind);                                                                       \
        for (size_t i = 0; i < n; i++) sum += (double)(draw);                                      \
        total = sum;                                                                               \
    }

#define IN_ARRAYS(name, fill)                                                                      \
    static void name##_in_arrays(size_t n, int kind) {                                             \
        rng = of_kind(kind);                                                                       \
        for (size_t part = n < LENGTH ? n : LENGTH, done = 0; done < n; done += part) fill;        \
    }

ONE_BY_ONE(doubles, wi_rng_double(&rng))
ONE_BY_ONE(normals, wi_rng_normal(&rng))
ONE_BY_ONE(integers, wi_rng_integer(&rng, 0, 6))
IN_ARRAYS(doubles, wi_rng_fill_double(&rng, numbers, part))
IN_ARRAYS(normals, wi_rng_fill_normal(&rng, numbers, part))
IN_ARRAYS(integers, wi_rng_fill_integer(&rng, integers, part, 0, 6))

int main(void) {
    bench_target no_more = {BENCH_RATIO, 1};
    bench("MT19937: double, against drand48", doubles_one_by_one, drand48_one_by_one,
          .size = WI__MT19937, .target = no_more);
    bench("PCG64: double, against drand48", doubles_one_by_one, drand48_one_by_one,
          .size = WI__PCG64, .target = no_more);
    bench("MT19937: doubles in arrays", doubles_in_arrays, doubles_one_by_one, .size = WI__MT19937,
          .target = no_more);
    bench("PCG64: doubles in arrays", doubles_in_arrays, doubles_one_by_one, .size = WI__PCG64,
          .target = no_more);
    bench("MT19937: normals in arrays", normals_in_arrays, normals_one_by_one, .size = WI__MT19937);
    bench("PCG64: normals in arrays", normals_in_arrays, normals_one_by_one, .size = WI__PCG64);
    bench("MT19937: integers in arrays", integers_in_arrays, integers_one_by_one,
          .size = WI__MT19937);
    bench("PCG64: integers in arrays", integers_in_arrays, integers_one_by_one, .size = WI__PCG64);
    return 0;
}
