/* wi_h5_file and wi_h5_stream: how they are entered and how they end. */
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "look.h"
#include "rows.h"
#include "trouble.h"

/* ---- what is open, for exit() ---- */

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static wi__h5_open *all_open;

/* A forked child has its parent's list. */
static int streams_here(const wi__h5_open *open) {
    return open->started && !wi__h5_disk_is_foreign(open->disk);
}

static void list(wi__h5_open *open) {
    pthread_mutex_lock(&guard);
    open->next = all_open;
    all_open = open;
    pthread_mutex_unlock(&guard);
}

static void unlist(wi__h5_open *open) {
    pthread_mutex_lock(&guard);
    for (wi__h5_open **at = &all_open; *at; at = &(*at)->next)
        if (*at == open) {
            *at = open->next;
            break;
        }
    pthread_mutex_unlock(&guard);
}

static wi__h5_open *newest_of_thread(void) {
    pthread_mutex_lock(&guard);
    wi__h5_open *open = all_open;
    while (open && !pthread_equal(open->thread, pthread_self())) open = open->next;
    pthread_mutex_unlock(&guard);
    return open;
}

void wi__h5_lock_again(void) {
    pthread_mutex_lock(&guard);
    for (wi__h5_open *open = all_open; open; open = open->next)
        if (streams_here(open)) wi__h5_lock_stream(open->disk->fd);
    pthread_mutex_unlock(&guard);
}

int wi__h5_streams_to(dev_t device, ino_t inode) {
    struct stat status;
    int found = 0;
    pthread_mutex_lock(&guard);
    for (wi__h5_open *open = all_open; open && !found; open = open->next)
        found = streams_here(open) && fstat(open->disk->fd, &status) == 0 &&
                status.st_dev == device && status.st_ino == inode;
    pthread_mutex_unlock(&guard);
    return found;
}

static wi_error *end_file(wi_h5_file *file, wi_reason reason);

/* HDF5 closes all files in an exit handler of its own, which was registered before this one and so runs later. */
static void end_at_exit(void) {
    for (wi__h5_open *open; (open = newest_of_thread());) {
        wi_error *error = end_file(open->file, WI_LEFT);
        if (!error) continue;
        char text[2048];
        wi_error_format(error, text, sizeof text);
        fprintf(stderr, "within: an error while HDF5 files were closed at exit\n%s", text);
        wi_error_free(error);
    }
}

static void set_up_process(void) {
    H5open();
    atexit(end_at_exit);
}

/* ---- ends ---- */

/* HDF5 is told of no failure, so that it closes. */
static void close_hdf5(wi_h5_file *file) {
    if (file->id < 0) return;
    wi__h5_close_rows(file->open);
    if (!wi__h5_disk_is_foreign(file->open->disk)) wi__h5_close_leftovers(file);
    wi_h5_check(file, H5Fclose(file->id), "close");
}

typedef struct ending {
    wi_h5_file *file;
    wi_reason reason;
} ending;

/* A streamed file is closed well whichever way its block ends; all others only if their content is wanted. */
static int is_wanted(const ending *end) {
    return end->reason == WI_END || end->file->open->started;
}

static void write_rows(void *arg) {
    const ending *end = arg;
    wi_use(wi__h5_silent());
    if (is_wanted(end)) wi__h5_write_all_rows(end->file);
}

static void close_file(void *arg) {
    const ending *end = arg;
    wi_use(wi__h5_silent());
    if (!is_wanted(end)) end->file->open->disk->discards = 1;
    close_hdf5(end->file);
}

static void end_target(void *arg) {
    const ending *end = arg;
    wi_atomic_path *target = &end->file->open->target;
    if (target->protocol) target->protocol->exit(target, end->reason, NULL);
}

/* All of it is done, whatever fails. Returns the first error, unless it was told before; owned by the caller. */
static wi_error *end_file(wi_h5_file *file, wi_reason reason) {
    static void (*const steps[])(void *end) = {write_rows, close_file, end_target};
    ending end = {file, reason};
    wi_error *first = NULL;
    int told = reason == WI_RAISED && file->open->failure_told;
    unlist(file->open);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        wi_error *error;
        if (wi_call(steps[i], &end, &error)) continue;
        if (end.reason == WI_END) end.reason = WI_RAISED;
        wi_error_free(first ? error : NULL);
        if (!first) first = error;
    }
    wi_let_go(file->open->holding);
    file->open->ended = 1;
    if (!file->open->writes) wi__h5_lock_again();
    file->id = H5I_INVALID_HID;
    if (first && told) {
        wi_error_free(first);
        first = NULL;
    }
    return first;
}

/* What functions of this header may be called with lives until here. */
static void release(wi_h5_file *file) {
    wi__h5_free_rows(file->open);
    wi__h5_disk_let_go(file->open->disk);
    free(file->open);
    file->open = NULL;
}

void wi_h5_commit(wi_h5_file *file) {
    wi__h5_require_open(file);
    wi_error *error = end_file(file, WI_END);
    if (error) wi_reraise(error);
}

/* ---- the manager ---- */

static void acquire(void *file) {
    wi_use(wi__h5_silent());
    wi__h5_acquire(file);
}

static void file_enter(void *self) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    wi_h5_file *file = self;
    if (file->open) wi_raise(WI_USAGE_ERROR, "%s: this file is open already", file->path);
    pthread_once(&once, set_up_process);
    wi__h5_open *open = calloc(1, sizeof *open);
    wi__h5_disk *disk = open ? wi__h5_disk_new() : NULL;
    if (!disk) {
        free(open);
        wi_raise(WI_MEMORY_ERROR, "%s: no memory to open it", file->path);
    }
    file->open = open;
    open->file = file;
    open->disk = disk;
    open->thread = pthread_self();
    open->holding = wi_hold("HDF5 file", "%s", file->path);
    wi_error *error;
    if (!wi_call(acquire, file, &error)) {
        wi_error_free(end_file(file, WI_RAISED)); /* what it says follows from the first */
        release(file);
        wi_reraise(error);
    }
    list(open);
}

static wi_verdict file_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_h5_file *file = self;
    wi_error *also = file->open->ended ? NULL : end_file(file, reason);
    release(file);
    if (also) wi_reraise(also);
    return WI_PROPAGATE;
}

static void file_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_h5_file *)self)->path);
}

static const wi_protocol file_protocol = {"HDF5 file", file_enter, file_exit, file_describe};

wi_h5_file wi__h5_file(const char *path, const char *mode, wi_h5_file_options options) {
    wi_h5_file file = {&file_protocol, path, mode, {0, options.no_sync}, H5I_INVALID_HID, NULL};
    return file;
}

wi_h5_file wi__h5_stream(const char *path, wi_h5_stream_options options) {
    wi_h5_file file = {&file_protocol, path, "stream", options, H5I_INVALID_HID, NULL};
    return file;
}

/* ---- what may be asked of it ---- */

void wi__h5_require_open(const wi_h5_file *file) {
    if (!file->open || file->open->ended) wi_raise(WI_USAGE_ERROR, "%s: is not open", file->path);
    if (wi__h5_disk_is_foreign(file->open->disk))
        wi_raise(WI_USAGE_ERROR, "%s: was opened by the process that this one was forked from",
                 file->path);
}

void wi__h5_require_writing(const wi_h5_file *file) {
    wi__h5_require_open(file);
    if (!file->open->writes)
        wi_raise(WI_USAGE_ERROR, "%s: is open to be read only: mode \"%s\"", file->path,
                 file->mode);
}

void wi__h5_require_creating(const wi_h5_file *file, const char *what, const char *name) {
    wi__h5_require_writing(file);
    if (file->open->started)
        wi_raise(WI_USAGE_ERROR,
                 "%s: %s %s: rows are being streamed, and nothing can be created any more; do it "
                 "before the first wi_h5_append or wi_h5_start",
                 file->path, what, name);
}
