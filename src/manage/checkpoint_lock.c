/* The lock of a series of checkpoints: one process, and one thread of it, changes the series at a time. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "manage/checkpoint_series.h"
#include "manage/durable.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int cancel_state; /* of the thread that has the mutex */

/* Another thread of the parent may have held it, and is not in the child. */
static void forget_in_child(void) { pthread_mutex_init(&mutex, NULL); }

__attribute__((constructor)) static void see_forks(void) {
    pthread_atfork(NULL, NULL, forget_in_child);
}

static void leave_mutex(void) {
    int state = cancel_state;
    pthread_mutex_unlock(&mutex);
    pthread_setcancelstate(state, NULL);
}

static int fail_to_lock(int lock, wi__failure *failure) {
    int error = errno;
    if (lock >= 0) wi__close(lock);
    leave_mutex();
    return wi__fail_errno(failure, error, "its .checkpoints.lock cannot be locked");
}

int wi__series_lock(int folder, wi__failure *failure) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int state, lock, got;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_mutex_lock(&mutex);
    cancel_state = state;
    do lock = openat(folder, ".checkpoints.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    while (lock < 0 && errno == EINTR);
    if (lock < 0) return fail_to_lock(lock, failure);
    do got = fcntl(lock, F_SETLKW, &whole);
    while (got != 0 && errno == EINTR);
    return got == 0 ? lock : fail_to_lock(lock, failure);
}

void wi__series_unlock(int lock) {
    wi__close(lock); /* which unlocks */
    leave_mutex();
}
