/* What is at a path before it is opened. */
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The superblock of the HDF5 file format, version 3: II.A.3 of its specification. */
static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
enum { VERSION_AT = 8, FLAGS_AT = 11, LOOKED_AT = 12 };
enum { WITH_FLAGS = 3, OPEN_FLAG = 1, STREAMED_FLAG = 4 };

static int read_at(int fd, off_t at, unsigned char *bytes, size_t size) {
    ssize_t n;
    do n = pread(fd, bytes, size, at);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

/* It lies at 0, 512, 1024, 2048 and so on, behind what others have put before it. */
static wi__h5_state state_of(int fd) {
    unsigned char block[LOOKED_AT];
    for (off_t at = 0; read_at(fd, at, block, sizeof block); at = at ? 2 * at : 512) {
        if (memcmp(block, signature, sizeof signature) != 0) continue;
        if (block[VERSION_AT] < WITH_FLAGS || !(block[FLAGS_AT] & OPEN_FLAG)) return WI__H5_CLOSED;
        return block[FLAGS_AT] & STREAMED_FLAG ? WI__H5_STREAMED : WI__H5_OPEN;
    }
    return WI__H5_FOREIGN;
}

/* One byte where no file has any. */
static struct flock stream_lock(short type) {
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = INT64_MAX - 1, .l_len = 1};
    return lock;
}

static pid_t writer_of(int fd) {
    struct flock lock = stream_lock(F_WRLCK);
    if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
    return lock.l_pid > 0 ? lock.l_pid : -1; /* on another host, or in another container */
}

void wi__h5_lock_stream(int fd) {
    struct flock lock = stream_lock(F_WRLCK);
    while (fcntl(fd, F_SETLK, &lock) != 0 && errno == EINTR) continue;
}

wi__h5_look wi__h5_look_at(const char *path) {
    wi__h5_look look = {WI__H5_NOTHING, 0, 0, 0};
    struct stat status;
    int fd;
    do fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return look;
    if (fstat(fd, &status) == 0) {
        look.device = status.st_dev;
        look.inode = status.st_ino;
    }
    look.state = state_of(fd);
    look.writer = writer_of(fd);
    close(fd);
    return look;
}
