/* The file of a CSV log: opened, locked, read, and appended to by whole rows. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "manage/csv_log.h"
#include "manage/durable.h"

int wi__csv_open(const char *path) {
    int fd;
    struct stat status;
    do fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    wi_check_errno(fd, "%s: cannot be opened", path);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
    wi__close(fd);
    wi_raise(WI_VALUE_ERROR, "%s: a CSV log is a regular file, and this is none", path);
}

/* ---- locks ---- */

static int lock(int fd, short kind, int command) {
    struct flock whole = {.l_type = kind, .l_whence = SEEK_SET};
    int result;
    do result = fcntl(fd, command, &whole);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

int wi__csv_lock_alone(int fd) {
    const int error = lock(fd, F_WRLCK, F_OFD_SETLK);
    return error != EAGAIN && error != EACCES;
}

void wi__csv_lock_shared(int fd) { lock(fd, F_RDLCK, F_OFD_SETLKW); }

void wi__csv_unlock(int fd) { lock(fd, F_UNLCK, F_OFD_SETLK); }

int64_t wi__csv_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- bytes ---- */

int wi__csv_truncate(int fd, off_t size) {
    while (ftruncate(fd, size) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

ssize_t wi__csv_read(int fd, void *bytes, size_t n, off_t at) {
    size_t total = 0;
    while (total < n) {
        ssize_t got = pread(fd, (char *)bytes + total, n - total, at + (off_t)total);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        total += (size_t)got;
    }
    return (ssize_t)total;
}

/* Is this what the file ends with? By now another process may have appended a row. */
static int ends_with(int fd, const char *piece, size_t n, off_t size) {
    char bytes[512];
    for (size_t at = 0; at < n; at += sizeof bytes) {
        size_t some = n - at < sizeof bytes ? n - at : sizeof bytes;
        if (wi__csv_read(fd, bytes, some, size - (off_t)(n - at)) != (ssize_t)some ||
            memcmp(bytes, piece + at, some) != 0)
            return 0;
    }
    return 1;
}

static int take_back(int fd, const char *piece, size_t n) {
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_size >= (off_t)n &&
           ends_with(fd, piece, n, status.st_size) &&
           wi__csv_truncate(fd, status.st_size - (off_t)n) == 0;
}

/* A write that fell short is gone on with: if its reason lasts, the next one says it. */
int wi__csv_append(wi__csv_log *log, const char *row, size_t n) {
    if (__atomic_load_n(&log->is_torn, __ATOMIC_RELAXED)) return EIO;
    size_t total = 0;
    int error = 0;
    while (total < n && !error) {
        ssize_t written = write(log->fd, row + total, n - total);
        if (written > 0)
            total += (size_t)written;
        else if (written == 0)
            error = ENOSPC;
        else if (errno != EINTR)
            error = errno;
    }
    if (error && total && !take_back(log->fd, row, total))
        __atomic_store_n(&log->is_torn, 1, __ATOMIC_RELAXED);
    return error;
}
