/* Standard normal numbers: by the polar method from MT19937, by the ziggurat from PCG64, as NumPy draws them. */
#include <math.h>

#include <within/rng.h>

#include "manage/ziggurat.h"

/* Marsaglia and Bray's: two at a time; the second is kept. */
static double polar(wi_rng *rng) {
    wi__mt19937 *mt = &rng->of.mt19937;
    if (mt->has_normal) {
        mt->has_normal = 0;
        return mt->normal;
    }
    double x, y, square;
    do {
        x = 2.0 * wi_rng_double(rng) - 1.0;
        y = 2.0 * wi_rng_double(rng) - 1.0;
        square = x * x + y * y;
    } while (square >= 1.0 || square == 0.0);
    double factor = sqrt(-2.0 * log(square) / square);
    mt->normal = factor * x;
    mt->has_normal = 1;
    return factor * y;
}

static double next_double(wi__pcg64_state *pcg) { return wi__pcg64_double(wi__pcg64_next(pcg)); }

/* Beyond the lowest layer's edge; Marsaglia's method of 1964. */
static double tail(wi__pcg64_state *pcg) {
    double x, y;
    do {
        x = -(1.0 / WI__ZIGGURAT_TAIL) * log1p(-next_double(pcg));
        y = -log1p(-next_double(pcg));
    } while (y + y <= x * x);
    return WI__ZIGGURAT_TAIL + x;
}

/* Of the 64 bits eight are the layer, one is the sign, and 52 are the place in the layer. */
static double ziggurat(wi__pcg64_state *pcg) {
    for (;;) {
        uint64_t bits = wi__pcg64_next(pcg), place = bits >> 9 & 0xFFFFFFFFFFFFF;
        const wi__ziggurat_layer *layer = &wi__ziggurat[bits & 0xFF];
        double x = (double)place * layer->width;
        if (bits >> 8 & 1) x = -x;
        if (WI__LIKELY(place < layer->inside)) return x;
        if (layer == wi__ziggurat) return place >> 8 & 1 ? -tail(pcg) : tail(pcg);
        double height = (layer[-1].height - layer->height) * next_double(pcg) + layer->height;
        if (height < exp(-0.5 * x * x)) return x;
    }
}

double wi_rng_normal(wi_rng *rng) {
    return rng->kind == WI__PCG64 ? ziggurat(&rng->of.pcg64.state) : polar(rng);
}

void wi_rng_fill_normal(wi_rng *rng, double *x, size_t n) {
    if (rng->kind == WI__PCG64)
        for (size_t i = 0; i < n; i++) x[i] = ziggurat(&rng->of.pcg64.state);
    else
        for (size_t i = 0; i < n; i++) x[i] = polar(rng);
}
