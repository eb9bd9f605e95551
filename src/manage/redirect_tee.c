/* The thread of a tee: looks what the file has grown by, and passes it on. */
#include "manage/redirect_tee.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "manage/durable.h"

enum { SHORTEST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 50 };

int wi__tee_patience_ms = 10000;

struct wi__tee {
    int file; /* borrowed; tells where the next byte goes */
    int from; /* the same file, to read */
    int to;
    size_t most; /* bytes that `to` takes at once without waiting, when it says that it is ready */
    off_t position, end;
    size_t passed; /* bytes, for who waits; atomic */
    int error;
    int ending, over; /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    char bytes[1 << 16];
};

/* ---- making and freeing ---- */

/* An open file of its own, as the writers' has the position of their next byte, and perhaps no right to read. */
static int open_again(int file) {
    char path[64];
    int fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    do fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static void init_waiting(wi__tee *tee) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&tee->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&tee->lock, NULL);
}

/* @return 0 or an errno value. */
static int open_ends(wi__tee *tee, int to) {
    tee->from = open_again(tee->file);
    if (tee->from < 0) return errno;
    tee->to = fcntl(to, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return tee->to < 0 ? errno : 0;
}

int wi__tee_new(wi__tee **made, int file, int to) {
    struct stat status;
    wi__tee *tee = calloc(1, sizeof *tee);
    *made = NULL;
    if (!tee) return ENOMEM;
    tee->file = file;
    tee->from = tee->to = -1;
    tee->most = fstat(to, &status) == 0 && S_ISREG(status.st_mode) ? sizeof tee->bytes : PIPE_BUF;
    int error = open_ends(tee, to);
    if (error) {
        wi__tee_free(tee);
        return error;
    }
    init_waiting(tee);
    *made = tee;
    return 0;
}

/* The lock and the condition need no end; in a forked child the latter's would wait for the parent's thread. */
void wi__tee_free(wi__tee *tee) {
    if (!tee) return;
    if (tee->from >= 0) wi__close(tee->from);
    if (tee->to >= 0) wi__close(tee->to);
    free(tee);
}

/* ---- waiting ---- */

/* With the lock; until the other side may have changed something. @return is the time over? */
static int wait_for_change(wi__tee *tee, int ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(&tee->changed, &tee->lock, &until) == ETIMEDOUT;
}

/* @return is it the end? */
static int pause_ms(wi__tee *tee, int ms) {
    pthread_mutex_lock(&tee->lock);
    if (!tee->ending) wait_for_change(tee, ms);
    int ending = tee->ending;
    pthread_mutex_unlock(&tee->lock);
    return ending;
}

static void say_over(wi__tee *tee) {
    pthread_mutex_lock(&tee->lock);
    tee->over = 1;
    pthread_cond_signal(&tee->changed);
    pthread_mutex_unlock(&tee->lock);
}

/* ---- passing on ---- */

/* The only place where the thread may be cancelled: it waits for who reads. */
static ssize_t write_when_ready(const wi__tee *tee, const char *bytes, size_t n) {
    struct pollfd ready = {tee->to, POLLOUT, 0};
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    ssize_t written = -1;
    if (poll(&ready, 1, -1) >= 0) written = write(tee->to, bytes, n < tee->most ? n : tee->most);
    int error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    errno = error;
    return written;
}

static int pass_on(wi__tee *tee, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t written = write_when_ready(tee, bytes, n);
        if (written < 0 && errno != EINTR && errno != EAGAIN) return errno;
        if (written < 0) continue;
        __atomic_add_fetch(&tee->passed, (size_t)written, __ATOMIC_RELAXED);
        bytes += written;
        n -= (size_t)written;
    }
    return 0;
}

/* Where the next byte will be written. */
static off_t end_of(int file) {
    struct stat status;
    if (fcntl(file, F_GETFL) & O_APPEND) return fstat(file, &status) == 0 ? status.st_size : 0;
    return lseek(file, 0, SEEK_CUR);
}

static int pass_on_until(wi__tee *tee, off_t end) {
    if (end < tee->position) tee->position = 0; /* somebody has emptied the file */
    while (tee->position < end && !tee->error) {
        size_t rest = (size_t)(end - tee->position);
        ssize_t n = pread(tee->from, tee->bytes,
                          rest < sizeof tee->bytes ? rest : sizeof tee->bytes, tee->position);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) break;
        tee->error = n < 0 ? errno : pass_on(tee, tee->bytes, (size_t)n);
        tee->position += n > 0 ? n : 0;
    }
    return tee->error;
}

static void *run(void *arg) {
    wi__tee *tee = arg;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    int ms = SHORTEST_PAUSE_MS;
    while (!tee->error && !pause_ms(tee, ms)) {
        off_t before = tee->position;
        pass_on_until(tee, end_of(tee->file));
        ms = tee->position != before ? SHORTEST_PAUSE_MS : ms < LONGEST_PAUSE_MS ? 2 * ms : ms;
    }
    while (!pause_ms(tee, LONGEST_PAUSE_MS)) continue; /* after an error */
    pass_on_until(tee, tee->end);
    say_over(tee);
    return NULL;
}

/* ---- start and end ---- */

/* Signals are for the program's threads; and a pipe that nobody reads is an error here, no signal. */
int wi__tee_start(wi__tee *tee) {
    sigset_t all, before;
    tee->position = end_of(tee->file);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&tee->thread, NULL, run, tee);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* With the lock. @return 0 once the thread is over; ETIMEDOUT when nobody has taken a byte for too long. */
static int wait_until_over(wi__tee *tee) {
    while (!tee->over) {
        size_t passed = __atomic_load_n(&tee->passed, __ATOMIC_RELAXED);
        int late = wait_for_change(tee, wi__tee_patience_ms) && !tee->over;
        if (late && passed == __atomic_load_n(&tee->passed, __ATOMIC_RELAXED)) return ETIMEDOUT;
    }
    return 0;
}

int wi__tee_end(wi__tee *tee) {
    pthread_mutex_lock(&tee->lock);
    tee->end = end_of(tee->file);
    tee->ending = 1;
    pthread_cond_signal(&tee->changed);
    int late = wait_until_over(tee);
    pthread_mutex_unlock(&tee->lock);
    if (late) pthread_cancel(tee->thread);
    pthread_join(tee->thread, NULL);
    int error = late ? late : tee->error;
    pthread_cond_destroy(&tee->changed);
    pthread_mutex_destroy(&tee->lock);
    wi__tee_free(tee);
    return error;
}
