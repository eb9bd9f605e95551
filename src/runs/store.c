/* A database of runs, opened: what it is and of which version is checked before anything is done with it. */
#include "runs/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/migrate.h"
#include "runs/network.h"
#include "runs/stamp.h"

/* ---- where it is ---- */

/* The file's own path: links are followed, as SQLite does. */
static void find_file(const char *path, char file[PATH_MAX]) {
    char *real = realpath(path, NULL);
    snprintf(file, PATH_MAX, "%s", real ? real : path);
    free(real);
}

static void find_folder(const char *path, char folder[PATH_MAX]) {
    find_file(path, folder);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
    else
        memcpy(folder, ".", sizeof ".");
}

int wi__store_may_be_written(const char *path) {
    char folder[PATH_MAX];
    find_folder(path, folder);
    return access(path, W_OK) == 0 && access(folder, W_OK) == 0;
}

static int is_beside(const char *path, const char *end) {
    char file[PATH_MAX], beside[PATH_MAX + 16];
    struct stat status;
    find_file(path, file);
    snprintf(beside, sizeof beside, "%s%s", file, end);
    return stat(beside, &status) == 0 && status.st_size > 0;
}

static void say_it_is_on_a_network(const char *path) {
    static int said;
    if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
        fprintf(
            stderr,
            "within: %s: it is on a file system of a network, where memory cannot be shared: it "
            "has a rollback journal, and each point is a write of its own\n",
            path);
}

/* By its folder: who opens and closes the file itself takes away SQLite's locks in this process. */
static int is_on_a_network(const char *path) {
    char folder[PATH_MAX];
    find_folder(path, folder);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int answer = descriptor >= 0 && wi__is_on_a_network(descriptor);
    if (descriptor >= 0) close(descriptor);
    if (answer) say_it_is_on_a_network(path);
    return answer;
}

/* ---- what it is ---- */

typedef struct glance {
    const char *path;
    wi__stamp found;
} glance;

static void read_stamp_of_file(void *arg) {
    glance *at = arg;
    within (db, wi_database(at->path, .immutable = 1)) at->found = wi__stamp_read(db->handle);
}

/* Before it is opened, which may change it. What cannot be read so, perhaps as it is being written, is seen then. */
static void check_untouched(const char *path, wi__store_mode mode) {
    glance at = {.path = path};
    if (access(path, F_OK) != 0 || !wi_call(read_stamp_of_file, &at, NULL)) return;
    int may_be_empty = mode == WI__STORE_MAKE || is_beside(path, "-wal");
    wi__stamp_version(&at.found, path, wi__runs_versions.newest, may_be_empty);
}

/* ---- opening ---- */

/* A reader who may not write would leave files that the writers could not; nobody has it open where there is no log. */
static int is_at_rest(const char *path) {
    return !wi__store_may_be_written(path) && !is_beside(path, "-wal") &&
           !is_beside(path, "-journal");
}

static void check_that_it_is_there(const char *path, wi__store_mode mode) {
    if (mode == WI__STORE_WRITE && access(path, F_OK) != 0) wi_raise_errno(errno, "open %s", path);
}

/*
 * SQLite would make it without the group's right to write, whatever the umask says. Not by open: whose close would take
 * away the locks of another thread that has it open already.
 */
static void make_file(const char *path) { mknod(path, S_IFREG | 0666, 0); }

static wi_database options_of(const char *path, wi__store_mode mode, int busy_timeout_ms) {
    int is_read = mode == WI__STORE_READ;
    return wi_database(path, .busy_timeout_ms = busy_timeout_ms, .read_only = is_read,
                       .immutable = is_read && is_at_rest(path),
                       .synchronous = WI_SYNCHRONOUS_NORMAL, .no_wal = is_on_a_network(path));
}

typedef struct opening {
    wi_database *store;
    wi__store_mode mode;
} opening;

static void bring_up_to_date(void *arg) {
    const opening *it = arg;
    wi__migrate(it->store, &wi__runs_versions, it->mode == WI__STORE_MAKE);
}

sqlite3 *wi__store_open(wi_database *store, const char *path, wi__store_mode mode,
                        int busy_timeout_ms) {
    opening it = {store, mode};
    wi_error *error;
    check_that_it_is_there(path, mode);
    check_untouched(path, mode);
    if (mode == WI__STORE_MAKE) make_file(path);
    *store = options_of(path, mode, busy_timeout_ms);
    store->protocol->enter(store);
    if (wi_call(bring_up_to_date, &it, &error)) return store->handle;
    wi__store_close(store);
    wi_reraise(error);
}

static void close_quietly(void *self) {
    wi_database *store = self;
    store->protocol->exit(store, WI_RAISED, NULL);
}

void wi__store_close(wi_database *store) { wi_call(close_quietly, store, NULL); }
