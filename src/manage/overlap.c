/* The open blocks that change what belongs to the whole process. */
#include "manage/overlap.h"

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void) { pthread_mutex_lock(&mutex); }

static void watch_forks(void) { pthread_atfork(lock, wi__overlap_unlock, wi__overlap_unlock); }

void wi__overlap_lock(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    lock();
}

void wi__overlap_unlock(void) { pthread_mutex_unlock(&mutex); }

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
