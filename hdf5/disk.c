/* The file on the disk, as HDF5 sees it: the driver's functions, in the order in which HDF5 lists them. */
#include "disk.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(hid_t) == sizeof(int64_t),
               "the public header says that a hid_t is an int64_t");

/* What HDF5 knows of an open file, and after it what is known here. */
typedef struct disk_file {
    H5FD_t of_hdf5;
    wi__h5_disk *disk;
    int fd;
    dev_t device;
    ino_t inode;
    haddr_t end_allocated, end_written;
} disk_file;

enum { MOST_AT_ONCE = 0x7ffff000 }; /* what Linux writes or reads in one call */

/* Asked at each write: a system call would be a tenth of it. */
static pid_t this_process;
static void take_process(void) { this_process = getpid(); }
static void watch_forks(void) {
    take_process();
    pthread_atfork(NULL, NULL, take_process);
}

wi__h5_disk *wi__h5_disk_new(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    wi__h5_disk *disk = calloc(1, sizeof *disk);
    if (!disk) return NULL;
    pthread_once(&once, watch_forks);
    disk->owner = this_process;
    disk->users = 1;
    disk->fd = -1;
    return disk;
}

void wi__h5_disk_let_go(wi__h5_disk *disk) {
    if (disk && --disk->users == 0) free(disk);
}

int wi__h5_disk_is_foreign(const wi__h5_disk *disk) { return disk->owner != this_process; }

/* ---- opening ---- */

static int flags_of(unsigned flags) {
    return O_CLOEXEC | (flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY) |
           (flags & H5F_ACC_TRUNC ? O_TRUNC : 0) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) |
           (flags & H5F_ACC_EXCL ? O_EXCL : 0);
}

static int open_at(const char *path, unsigned flags, struct stat *status) {
    int fd;
    do fd = open(path, flags_of(flags), 0666);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && fstat(fd, status) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

/* A list of properties that a program has copied from an open file comes without a disk: it gets one of its own. */
static wi__h5_disk *disk_of(hid_t access) {
    wi__h5_disk *const *given = (wi__h5_disk *const *)H5Pget_driver_info(access);
    if (!given || !*given) return wi__h5_disk_new();
    (*given)->users++;
    return *given;
}

static H5FD_t *disk_open(const char *path, unsigned flags, hid_t access, haddr_t most) {
    wi__h5_disk *disk = disk_of(access);
    disk_file *file = calloc(1, sizeof *file);
    struct stat status;
    int fd = disk && file ? open_at(path, flags, &status) : -1;
    if (disk) disk->open_error = fd < 0 ? errno : 0;
    if (fd < 0 || most == 0) {
        wi__h5_disk_let_go(disk);
        free(file);
        return NULL;
    }
    file->disk = disk;
    file->fd = disk->fd = fd;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->end_written = (haddr_t)status.st_size;
    return &file->of_hdf5;
}

/* ---- changing: the first failure is the last ---- */

static int may_write(const wi__h5_disk *disk) {
    return !disk->write_error && !disk->discards && !wi__h5_disk_is_foreign(disk);
}

static void keep_failure(wi__h5_disk *disk, const char *what, int error) {
    if (disk->write_error || disk->discards || wi__h5_disk_is_foreign(disk)) return;
    disk->write_error = error;
    disk->what = what;
}

static herr_t disk_close(H5FD_t *of_hdf5) {
    disk_file *file = (disk_file *)of_hdf5;
    if (close(file->fd) != 0 && errno != EINTR) keep_failure(file->disk, "close", errno);
    if (file->disk->fd == file->fd) file->disk->fd = -1;
    wi__h5_disk_let_go(file->disk);
    free(file);
    return 0;
}

static herr_t disk_write(H5FD_t *of_hdf5, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                         const void *bytes) {
    disk_file *file = (disk_file *)of_hdf5;
    (void)type, (void)transfer;
    if (at + size > file->end_written) file->end_written = at + size;
    if (!may_write(file->disk)) return 0;
    for (const char *from = bytes; size > 0;) {
        ssize_t n = pwrite(file->fd, from, size < MOST_AT_ONCE ? size : MOST_AT_ONCE, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            keep_failure(file->disk, "write", n < 0 ? errno : ENOSPC);
            break;
        }
        from += n;
        at += (haddr_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static herr_t disk_truncate(H5FD_t *of_hdf5, hid_t transfer, hbool_t closing) {
    disk_file *file = (disk_file *)of_hdf5;
    (void)transfer, (void)closing;
    if (file->end_allocated == file->end_written) return 0;
    file->end_written = file->end_allocated;
    if (!may_write(file->disk)) return 0;
    int failed;
    do failed = ftruncate(file->fd, (off_t)file->end_allocated);
    while (failed && errno == EINTR);
    if (failed) keep_failure(file->disk, "truncate", errno);
    return 0;
}

/* ---- reading ---- */

static herr_t disk_read(H5FD_t *of_hdf5, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                        void *bytes) {
    disk_file *file = (disk_file *)of_hdf5;
    (void)type, (void)transfer;
    file->disk->read_error = 0;
    for (char *to = bytes; size > 0;) {
        ssize_t n = pread(file->fd, to, size < MOST_AT_ONCE ? size : MOST_AT_ONCE, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            file->disk->read_error = errno;
            return -1;
        }
        if (n == 0) {
            memset(to, 0, size); /* beyond the end, as HDF5's own drivers say */
            return 0;
        }
        to += n;
        at += (haddr_t)n;
        size -= (size_t)n;
    }
    return 0;
}

/* ---- HDF5's locks: they keep its other users out while the file is written without SWMR ---- */

/* Some file systems know no locks; HDF5's own driver goes on without them too. */
static herr_t locked_or_not(wi__h5_disk *disk, int failed) {
    if (!failed || errno == ENOSYS || errno == ENOTSUP) return 0;
    disk->open_error = errno == EWOULDBLOCK ? EBUSY : errno;
    return -1;
}

static int flock_through(int fd, int operation) {
    int failed;
    do failed = flock(fd, operation);
    while (failed && errno == EINTR);
    return failed;
}

static herr_t disk_lock(H5FD_t *of_hdf5, hbool_t writing) {
    disk_file *file = (disk_file *)of_hdf5;
    return locked_or_not(file->disk,
                         flock_through(file->fd, LOCK_NB | (writing ? LOCK_EX : LOCK_SH)));
}

/* A child shares its parent's lock, and would free it for both. */
static herr_t disk_unlock(H5FD_t *of_hdf5) {
    disk_file *file = (disk_file *)of_hdf5;
    if (wi__h5_disk_is_foreign(file->disk)) return 0;
    return locked_or_not(file->disk, flock_through(file->fd, LOCK_UN));
}

/* ---- what HDF5 asks ---- */

static int compare(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int disk_compare(const H5FD_t *one, const H5FD_t *other) {
    const disk_file *a = (const disk_file *)one, *b = (const disk_file *)other;
    int devices = compare(a->device, b->device);
    return devices ? devices : compare(a->inode, b->inode);
}

/* As HDF5's own driver for one plain file. */
static herr_t disk_query(const H5FD_t *of_hdf5, unsigned long *flags) {
    (void)of_hdf5;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE |
             H5FD_FEAT_SUPPORTS_SWMR_IO | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t disk_end_allocated(const H5FD_t *of_hdf5, H5FD_mem_t type) {
    (void)type;
    return ((const disk_file *)of_hdf5)->end_allocated;
}

static herr_t disk_allocate(H5FD_t *of_hdf5, H5FD_mem_t type, haddr_t end) {
    (void)type;
    ((disk_file *)of_hdf5)->end_allocated = end;
    return 0;
}

static haddr_t disk_end_written(const H5FD_t *of_hdf5, H5FD_mem_t type) {
    (void)type;
    return ((const disk_file *)of_hdf5)->end_written;
}

static herr_t disk_handle(H5FD_t *of_hdf5, hid_t access, void **handle) {
    (void)access;
    *handle = &((disk_file *)of_hdf5)->fd;
    return 0;
}

static const H5FD_class_t disk_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = 511, /* of those that HDF5 leaves to drivers that are not registered with it */
#endif
    .name = "within",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(wi__h5_disk *),
    .open = disk_open,
    .close = disk_close,
    .cmp = disk_compare,
    .query = disk_query,
    .get_eoa = disk_end_allocated,
    .set_eoa = disk_allocate,
    .get_eof = disk_end_written,
    .get_handle = disk_handle,
    .read = disk_read,
    .write = disk_write,
    .truncate = disk_truncate,
    .lock = disk_lock,
    .unlock = disk_unlock,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* A program may have closed HDF5 since: then the number means nothing, or something else. */
static hid_t driver(void) {
    static hid_t registered = H5I_INVALID_HID;
    if (registered < 0 || H5Iget_type(registered) != H5I_VFL)
        registered = H5FDregister(&disk_class);
    return registered;
}

herr_t wi__h5_disk_use(hid_t access, wi__h5_disk *disk) {
    hid_t id = driver();
    return id < 0 ? -1 : H5Pset_driver(access, id, (const void *)&disk);
}
