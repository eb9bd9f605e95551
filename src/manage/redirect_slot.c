/* Descriptors that lead elsewhere, and how they are put back in any order. */
#include "manage/redirect_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"

enum { FIRST_FREE = STDERR_FILENO + 1 };

static wi__layer *newest;

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
    wi__overlap_lock();
    /* Another thread may have led it elsewhere since it was kept. */
    int error = slot->kept < 0 ? 0 : duplicate_over(slot->fd, slot->kept, O_CLOEXEC);
    if (!error) error = duplicate_over(target, slot->fd, slot->cloexec);
    if (!error) wi__layer_push(&newest, &slot->layer);
    wi__overlap_unlock();
    return error;
}

/* @return the slot that was made right after it, of the same descriptor; or NULL. */
static wi__slot *newer_of(const wi__slot *slot) {
    wi__slot *newer = (wi__slot *)slot->layer.newer;
    while (newer && newer->fd != slot->fd) newer = (wi__slot *)newer->layer.newer;
    return newer;
}

int wi__slot_put_back(wi__slot *slot) {
    int error = 0;
    wi__overlap_lock();
    wi__slot *newer = newer_of(slot);
    wi__layer_remove(&newest, &slot->layer);
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
    wi__overlap_unlock();
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
