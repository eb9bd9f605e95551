/* How a file is opened in each mode. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "file.h"
#include "look.h"
#include "objects.h"
#include "rows.h"
#include "trouble.h"

/* How to open; given back by the caller. SWMR needs objects in the format of HDF5 1.10. */
static hid_t access_of(const wi_h5_file *file) {
    hid_t access = wi_h5_check(file, H5Pcreate(H5P_FILE_ACCESS), "make a list of properties");
    wi_h5_check(file, wi__h5_disk_use(access, file->open->disk), "choose a file driver");
    wi_h5_check(file, H5Pset_fclose_degree(access, H5F_CLOSE_STRONG), "choose how to close");
    if (file->open->streams)
        wi_h5_check(file, H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_LATEST),
                    "choose a format");
    return access;
}

/* ---- reading ---- */

/* The system's refusal, or that a lock is held; else HDF5 cannot make sense of the content. */
WI__NORETURN static void cannot_open(const wi_h5_file *file, const char *path) {
    const wi__h5_disk *disk = file->open->disk;
    char why[1024];
    wi__h5_reason(why, sizeof why);
    if (disk->open_error == EBUSY)
        wi_raise(WI_BUSY_ERROR, "%s: another program has locked it, to write to it", file->path);
    if (disk->open_error) wi_raise_errno(disk->open_error, "%s: open", file->path);
    if (disk->read_error) wi_raise_errno(disk->read_error, "%s: read", file->path);
    if (wi__h5_look_at(path).state == WI__H5_FOREIGN)
        wi_raise(WI_DATA_ERROR, "%s: is no HDF5 file", file->path);
    wi_raise(WI_DATA_ERROR, "%s: HDF5 cannot open it: %s", file->path, why);
}

static int may_be_streamed(const wi_h5_file *file) {
    return !file->open->disk->open_error && wi__h5_look_at(file->path).state == WI__H5_STREAMED;
}

static void open_to_read(wi_h5_file *file) {
    wi_use(access, wi__h5_hold(access_of(file)));
    file->id = H5Fopen(file->path, H5F_ACC_RDONLY, access->id);
    if (file->id < 0 && may_be_streamed(file))
        file->id = H5Fopen(file->path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access->id);
    if (file->id < 0) cannot_open(file, file->path);
}

/* ---- writing: beside the target ---- */

static void enter_target(wi_h5_file *file) {
    wi__h5_open *open = file->open;
    wi_atomic_path target = wi_atomic_path(file->path, .no_sync = file->options.no_sync);
    open->writes = 1;
    target.protocol->enter(&target);
    open->target = target;
}

/* A file that another process streams to would go on without its name. */
static void require_not_streamed(const wi_h5_file *file, wi__h5_look look) {
    wi__h5_lock_again();
    if (wi__h5_streams_to(look.device, look.inode))
        wi_raise(WI_BUSY_ERROR, "%s: this process is streaming rows to it", file->path);
    if (look.writer > 0)
        wi_raise(WI_BUSY_ERROR, "%s: process %d is streaming rows to it", file->path,
                 (int)look.writer);
    if (look.writer)
        wi_raise(WI_BUSY_ERROR, "%s: a process elsewhere is streaming rows to it", file->path);
}

static void create(wi_h5_file *file) {
    enter_target(file);
    wi_use(access, wi__h5_hold(access_of(file)));
    file->id = H5Fcreate(file->open->target.temporary, H5F_ACC_EXCL, H5P_DEFAULT, access->id);
    if (file->id < 0) cannot_open(file, file->open->target.temporary);
}

static void create_new(wi_h5_file *file) {
    require_not_streamed(file, wi__h5_look_at(file->path));
    create(file);
}

/* ---- changing: a copy ---- */

/* Blocks that the file system can share are not copied; where it cannot at all, the system copies them. */
static int copy_bytes(int from, int to) {
    static const size_t most = 1 << 30;
    for (ssize_t n = 1; n;) {
        n = copy_file_range(from, NULL, to, NULL, most, 0);
        if (n < 0 && errno != EINTR) n = sendfile(to, from, NULL, most);
        if (n < 0 && errno != EINTR) return errno;
    }
    return 0;
}

static int open_through(const char *path, int flags) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* Nobody who minds HDF5's locks writes to it meanwhile. */
static int copy_file(const char *from, const char *to) {
    int source = open_through(from, O_RDONLY), copy = -1, error = source < 0 ? errno : 0;
    if (!error && flock(source, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) error = EBUSY;
    if (!error) copy = open_through(to, O_WRONLY | O_CREAT | O_EXCL);
    if (!error && copy < 0) error = errno;
    if (!error) error = copy_bytes(source, copy);
    if (copy >= 0 && close(copy) != 0 && errno != EINTR && !error) error = errno;
    if (source >= 0) close(source);
    return error;
}

static void require_changeable(const wi_h5_file *file) {
    wi__h5_look look = wi__h5_look_at(file->path);
    require_not_streamed(file, look);
    if (look.state == WI__H5_FOREIGN) wi_raise(WI_DATA_ERROR, "%s: is no HDF5 file", file->path);
    if (look.state == WI__H5_STREAMED)
        wi_raise(WI_DATA_ERROR,
                 "%s: rows were streamed to it, and its writer died; wi_h5_recover makes a copy "
                 "that can be changed",
                 file->path);
    if (look.state == WI__H5_OPEN)
        wi_raise(WI_DATA_ERROR, "%s: another program writes to it, or died before it closed it",
                 file->path);
}

static void open_copy(wi_h5_file *file) {
    require_changeable(file);
    enter_target(file);
    const char *temporary = file->open->target.temporary;
    int error = copy_file(file->path, temporary);
    if (error == EBUSY)
        wi_raise(WI_BUSY_ERROR, "%s: another program has locked it, to write to it", file->path);
    if (error) wi_raise_errno(error, "%s: copy", file->path);
    wi_use(access, wi__h5_hold(access_of(file)));
    file->id = H5Fopen(temporary, H5F_ACC_RDWR, access->id);
    if (file->id < 0) cannot_open(file, temporary);
}

static int is_missing(const char *path) { return access(path, F_OK) != 0 && errno == ENOENT; }

/* ---- streaming ---- */

static void create_stream(wi_h5_file *file) {
    wi__h5_look look = wi__h5_look_at(file->path);
    file->open->streams = 1;
    require_not_streamed(file, look);
    if (look.state == WI__H5_STREAMED && !file->options.resume)
        wi_raise(WI_FILE_EXISTS,
                 "%s: rows were streamed to it, and its writer died: say .resume to go on, or take "
                 "them with wi_h5_recover, or remove it",
                 file->path);
    create(file);
    if (file->options.resume && look.state != WI__H5_NOTHING)
        within (old, wi_h5_file(file->path, "r")) wi__h5_copy_objects(old, file);
}

void wi__h5_acquire(wi_h5_file *file) {
    const char *mode = file->mode;
    if (strcmp(mode, "r") == 0)
        open_to_read(file);
    else if (strcmp(mode, "stream") == 0)
        create_stream(file);
    else if (strcmp(mode, "w") == 0 || (strcmp(mode, "a") == 0 && is_missing(file->path)))
        create_new(file);
    else if (strcmp(mode, "r+") == 0 || strcmp(mode, "a") == 0)
        open_copy(file);
    else
        wi_raise(WI_VALUE_ERROR, "%s: mode \"%s\": there are r, w, r+ and a", file->path, mode);
}

void wi_h5_start(wi_h5_file *file) {
    wi__h5_require_writing(file);
    wi__h5_open *open = file->open;
    if (!open->streams)
        wi_raise(WI_USAGE_ERROR, "%s: is no wi_h5_stream, and cannot be streamed to", file->path);
    if (open->started) return;
    wi_use(wi__h5_silent());
    require_not_streamed(file, wi__h5_look_at(file->path));
    wi_h5_check(file, H5Fstart_swmr_write(file->id), "start to stream");
    wi__h5_open_rows_again(open);
    wi_atomic_path_commit(&open->target);
    wi__h5_lock_stream(open->disk->fd);
    open->started = 1;
}
