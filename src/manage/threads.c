/* wi_threads: the number of threads that libraries calculate with, for a block. */
#include <within/threads.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "manage/overlap.h"
#include "manage/thread_libraries.h"
#include "manage/trouble.h"
#include "record/complain.h"

/* An open block. */
typedef struct wi__threads_block {
    wi__layer layer;
    pthread_t thread;
    wi__thread_library *libraries;
} wi__threads_block;

static wi__layer *newest;

/* ---- enter ---- */

static wi__trouble begin(void *arg) {
    wi_threads *threads = arg;
    wi__threads_block *open = malloc(sizeof *open);
    int error = open ? wi__thread_libraries_find(&open->libraries) : 1;
    if (error) {
        free(open);
        return wi__trouble_of("cannot be set", ENOMEM);
    }
    open->thread = pthread_self();
    wi__overlap_lock();
    for (wi__thread_library *each = open->libraries; each; each = each->next)
        each->before = wi__thread_library_exchange(each, threads->count);
    wi__layer_push(&newest, &open->layer);
    wi__overlap_unlock();
    threads->open = open;
    return WI__NO_TROUBLE;
}

static void threads_enter(void *self) {
    wi_threads *threads = self;
    if (threads->open) wi_raise(WI_USAGE_ERROR, "threads: this wi_threads is open already");
    if (threads->count < 1)
        wi_raise(WI_VALUE_ERROR, "threads: there must be 1 or more, not %d", threads->count);
    wi__do_whole("threads", begin, threads);
    threads->holding = wi_hold("threads", "%d", threads->count);
}

/* ---- exit ---- */

/* The next newer block's entry for the library, if both set the same number: of the process, or of one thread. */
static wi__thread_library *newer_entry(const wi__threads_block *open,
                                       const wi__thread_library *library) {
    for (wi__layer *layer = open->layer.newer; layer; layer = layer->newer) {
        wi__threads_block *newer = (wi__threads_block *)layer;
        if (library->is_of_thread && !pthread_equal(newer->thread, open->thread)) continue;
        for (wi__thread_library *each = newer->libraries; each; each = each->next)
            if (each->set == library->set) return each;
    }
    return NULL;
}

/* 0: the number belongs to a thread that this is not. */
static int put_back(const wi__threads_block *open, const wi__thread_library *library) {
    wi__thread_library *newer = newer_entry(open, library);
    if (newer)
        newer->before = library->before;
    else if (library->is_of_thread && !pthread_equal(open->thread, pthread_self()))
        return 0;
    else
        wi__thread_library_exchange(library, library->before);
    return 1;
}

static wi__trouble end(void *arg) {
    wi_threads *threads = arg;
    wi__threads_block *open = threads->open;
    int all = 1;
    threads->open = NULL;
    wi_let_go(threads->holding);
    wi__overlap_lock();
    for (wi__thread_library *each = open->libraries; each; each = each->next)
        all &= put_back(open, each);
    wi__layer_remove(&newest, &open->layer);
    wi__overlap_unlock();
    wi__thread_libraries_free(open->libraries);
    free(open);
    if (!all)
        wi__complain("a wi_threads block ended on another thread than it began on: the number of "
                     "threads of OpenMP or MKL is not put back there");
    return WI__NO_TROUBLE;
}

static wi_verdict threads_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi__do_whole("threads", end, self);
    return WI_PROPAGATE;
}

static void threads_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%d", ((const wi_threads *)self)->count);
}

static const wi_protocol threads_protocol = {"threads", threads_enter, threads_exit,
                                             threads_describe};

wi_threads wi__threads(int n) {
    wi_threads threads = {&threads_protocol, n, NULL, {NULL, 0}};
    return threads;
}
