/* Writing that is complete and on the disk when it says so. */
#include "manage/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int wi__write_all(int fd, const void *bytes, size_t n) {
    for (const char *at = bytes; n > 0;) {
        ssize_t written = write(fd, at, n);
        if (written < 0 && errno != EINTR) return errno;
        if (written < 0) continue;
        if (written == 0) return ENOSPC;
        at += written;
        n -= (size_t)written;
    }
    return 0;
}

int wi__sync(int fd) {
    while (fsync(fd) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

int wi__close(int fd) {
    /* Linux has closed it even if it says EINTR; another thread may have its number by now. */
    return close(fd) == 0 || errno == EINTR ? 0 : errno;
}

static int open_folder(const char *path) {
    int folder;
    do folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder < 0 && errno == EINTR);
    return folder;
}

int wi__sync_folder_of(const char *path) {
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) return ENAMETOOLONG;
    int folder = open_folder(dirname(copy));
    if (folder < 0) return errno;
    int error = wi__sync(folder);
    wi__close(folder);
    return error == EINVAL ? 0 : error; /* a file system that does not sync folders */
}
