/* The ziggurat under which standard normal numbers are drawn: 256 layers of equal area. */
#ifndef WITHIN_MANAGE_ZIGGURAT_H
#define WITHIN_MANAGE_ZIGGURAT_H

#include <stdint.h>

typedef struct wi__ziggurat_layer {
    uint64_t inside; /* below this the 52 bits give a point that surely lies under the curve */
    double width;    /* the layer's, by 2^52 */
    double height;   /* exp(-x²/2) where the layer ends */
} wi__ziggurat_layer;

/* Where the tail begins. */
#define WI__ZIGGURAT_TAIL 3.6541528853610087963519472518

extern const wi__ziggurat_layer wi__ziggurat[256];

#endif
