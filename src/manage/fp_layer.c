/* Layers of changes to the thread's floating-point control bits. */
#include "manage/fp_layer.h"

#include "manage/fp_registers.h"

WI__THREAD_LOCAL wi__fp_layer *wi__fp_innermost;

/* Its address tells the threads that live from each other. */
static const void *this_thread(void) { return (const void *)&wi__fp_innermost; }

void wi__fp_layer_check_closed(const wi__fp_layer *layer, const char *name) {
    if (layer->thread)
        wi_raise(WI_USAGE_ERROR, "%s: it is in a block already; use one for each block", name);
}

void wi__fp_layer_check_open_here(const wi__fp_layer *layer, const char *name) {
    if (layer->thread != this_thread())
        wi_raise(WI_USAGE_ERROR,
                 "%s: its block was entered on another thread, whose arithmetic stays as it is",
                 name);
}

int wi__fp_layer_open(wi__fp_layer *layer, uint32_t bits, uint32_t values) {
    uint32_t control = wi__fp_control();
    layer->bits = bits;
    layer->before = control & bits;
    layer->thread = this_thread();
    layer->above = NULL;
    layer->below = wi__fp_innermost;
    if (layer->below) layer->below->above = layer;
    wi__fp_innermost = layer;
    wi__fp_set_control((control & ~bits) | values);
    return ((wi__fp_control() ^ values) & bits) == 0;
}

static void unlink_layer(wi__fp_layer *layer) {
    if (layer->below) layer->below->above = layer->above;
    if (layer->above)
        layer->above->below = layer->below;
    else
        wi__fp_innermost = layer->below;
    layer->thread = NULL;
}

void wi__fp_layer_close(wi__fp_layer *layer) {
    uint32_t bits = layer->bits;
    for (wi__fp_layer *above = layer->above; above; above = above->above) {
        uint32_t common = bits & above->bits;
        above->before = (above->before & ~common) | (layer->before & common);
        bits &= ~common;
    }
    unlink_layer(layer);
    if (bits) wi__fp_set_control((wi__fp_control() & ~bits) | (layer->before & bits));
}
