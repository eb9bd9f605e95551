/* The open blocks that change what belongs to the whole process. */
#include "manage/overlap.h"

#include <pthread.h>
#include <stddef.h>

#include "record/fork.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void wi__overlap_lock(void) { pthread_mutex_lock(&mutex); }

void wi__overlap_unlock(void) { pthread_mutex_unlock(&mutex); }

__attribute__((constructor(WI__WATCHES_NEXT))) static void watch_forks(void) {
    pthread_atfork(wi__overlap_lock, wi__overlap_unlock, wi__overlap_unlock);
}

void wi__layer_push(wi__layer **newest, wi__layer *layer) {
    layer->older = *newest;
    layer->newer = NULL;
    if (*newest) (*newest)->newer = layer;
    *newest = layer;
}

void wi__layer_remove(wi__layer **newest, wi__layer *layer) {
    if (layer->older) layer->older->newer = layer->newer;
    if (layer->newer)
        layer->newer->older = layer->older;
    else
        *newest = layer->older;
}
