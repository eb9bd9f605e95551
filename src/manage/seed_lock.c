/* The lock around what blocks have saved: free in a forked child, and never waited for by who holds it. */
#include <pthread.h>

#include "manage/seed_source.h"
#include "record/fork.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static WI__THREAD_LOCAL struct {
    int is_held;
    int was_cancellable;
} mine;

static void before_fork(void) {
    if (!mine.is_held) pthread_mutex_lock(&mutex);
}

static void after_fork(void) {
    if (!mine.is_held) pthread_mutex_unlock(&mutex);
}

__attribute__((constructor(WI__WATCHES_NEXT))) static void watch_forks(void) {
    pthread_atfork(before_fork, after_fork, after_fork);
}

/* Only functions of registered generators may come to a point where a thread is cancelled. */
static int turn_cancellation_off(void) {
    int before = PTHREAD_CANCEL_DISABLE;
    if (wi__last_source() != &wi__drand48_source)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before == PTHREAD_CANCEL_ENABLE;
}

void wi__seed_lock(const char *who) {
    if (mine.is_held)
        wi_raise(WI_USAGE_ERROR, "%s: not from a function of a registered generator", who);
    pthread_mutex_lock(&mutex);
    mine.is_held = 1;
    mine.was_cancellable = turn_cancellation_off();
}

void wi__seed_unlock(void) {
    mine.is_held = 0;
    pthread_mutex_unlock(&mutex);
    if (mine.was_cancellable) pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
}
