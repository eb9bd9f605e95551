/* Files below /proc/self that are kept open. */
#include "manage/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Out of the way of programs that close a low descriptor and rely on getting its number again. */
static int move_up(int fd) {
    enum { OUT_OF_THE_WAY = 100 };
    int high = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    if (high < 0) return fd;
    close(fd);
    return high;
}

static int is_still(const wi__kept *kept, const struct stat *status) {
    return status->st_dev == kept->device && status->st_ino == kept->inode;
}

static int open_again(wi__kept *kept, struct stat *status) {
    int fd = open(kept->path, kept->flags | O_CLOEXEC | O_NOCTTY);
    kept->pid = 0;
    if (fd < 0) return -1;
    kept->fd = move_up(fd);
    if (fstat(kept->fd, status) != 0) return -1;
    kept->pid = getpid();
    kept->device = status->st_dev;
    kept->inode = status->st_ino;
    return kept->fd;
}

/* A child's copy of its parent's file is the child's to close. */
static void leave_parents(wi__kept *kept) {
    struct stat status;
    if (kept->pid && fstat(kept->fd, &status) == 0 && is_still(kept, &status)) close(kept->fd);
    kept->pid = 0;
}

int wi__kept_look(wi__kept *kept, struct stat *status) {
    int errnum = errno;
    if (kept->pid != getpid()) leave_parents(kept);
    int fd = kept->fd;
    if (!kept->pid || fstat(fd, status) != 0 || !is_still(kept, status))
        fd = open_again(kept, status);
    errno = errnum;
    return fd;
}

size_t wi__kept_read(wi__kept *kept, char *text, size_t size) {
    struct stat status;
    int errnum = errno, fd = wi__kept_look(kept, &status);
    ssize_t length = fd < 0 ? -1 : pread(fd, text, size - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    errno = errnum;
    return length > 0 ? (size_t)length : 0;
}
