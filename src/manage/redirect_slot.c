/* Descriptors that lead elsewhere, and how they are put back in any order. */
#include "manage/redirect_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"

enum { FIRST_FREE = STDERR_FILENO + 1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wi__slot *newest;

/* ---- in a forked child the list is whole, and the lock free ---- */

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
static void watch_forks(void) { pthread_atfork(before_fork, after_fork, after_fork); }

/* ---- one descriptor ---- */

/* EBUSY: another thread is opening a file that will have this number. */
static int duplicate_over(int target, int fd, int cloexec) {
    if (target == fd) return 0;
    while (dup3(target, fd, cloexec) < 0)
        if (errno != EINTR && errno != EBUSY) return errno;
    return 0;
}

int wi__slot_keep(wi__slot *slot, int fd) {
    slot->fd = fd;
    int flags = fcntl(fd, F_GETFD);
    slot->cloexec = flags >= 0 && (flags & FD_CLOEXEC) ? O_CLOEXEC : 0;
    slot->kept = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    return slot->kept < 0 && errno != EBADF ? errno : 0;
}

void wi__slot_drop(wi__slot *slot) {
    if (slot->kept >= 0) wi__close(slot->kept);
    slot->kept = -1;
}

int wi__slot_lead(wi__slot *slot, int target) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&lock);
    /* Another thread may have led it elsewhere since it was kept. */
    int error = slot->kept < 0 ? 0 : duplicate_over(slot->fd, slot->kept, O_CLOEXEC);
    if (!error) error = duplicate_over(target, slot->fd, slot->cloexec);
    if (!error) {
        slot->older = newest;
        newest = slot;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

/* Take it out of the list. @return the slot that was made right after it, of the same descriptor; or NULL. */
static wi__slot *unlink_slot(wi__slot *slot) {
    wi__slot **link = &newest, *newer = NULL;
    for (; *link != slot; link = &(*link)->older)
        if ((*link)->fd == slot->fd) newer = *link;
    *link = slot->older;
    return newer;
}

int wi__slot_put_back(wi__slot *slot) {
    int error = 0;
    pthread_mutex_lock(&lock);
    wi__slot *newer = unlink_slot(slot);
    if (newer) { /* it has kept where this one led: from now on it keeps what this one has */
        wi__slot_drop(newer);
        newer->kept = slot->kept;
        newer->cloexec = slot->cloexec;
        slot->kept = -1;
    } else if (slot->kept >= 0) {
        error = duplicate_over(slot->kept, slot->fd, slot->cloexec);
    } else {
        wi__close(slot->fd);
    }
    wi__slot_drop(slot);
    pthread_mutex_unlock(&lock);
    return error;
}

/* ---- numbers and places ---- */

int wi__out_of_the_way(int own, int fd) {
    if (own < 0 || (own >= FIRST_FREE && own != fd)) return own;
    int moved = fcntl(own, F_DUPFD_CLOEXEC, fd < FIRST_FREE ? FIRST_FREE : fd + 1), error = errno;
    wi__close(own);
    errno = error;
    return moved;
}

int wi__same_place(int one, int other) {
    struct stat of_one, of_other;
    return fstat(one, &of_one) == 0 && fstat(other, &of_other) == 0 &&
           of_one.st_dev == of_other.st_dev && of_one.st_ino == of_other.st_ino;
}
