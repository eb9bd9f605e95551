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

static void check_and_make(void *self) { wi__migrate(self, &wi__runs_versions); }

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
    char folder[PATH_MAX] = ".";
    char *real = realpath(path, NULL);
    const char *known = real ? real : path, *slash = strrchr(known, '/');
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash + 1 - known), known);
    free(real);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int answer = descriptor >= 0 && wi__is_on_a_network(descriptor);
    if (descriptor >= 0) close(descriptor);
    if (answer) say_it_is_on_a_network(path);
    return answer;
}

static void check_that_it_is_there(const char *path, wi__store_mode mode) {
    if (mode == WI__STORE_WRITE && access(path, F_OK) != 0) wi_raise_errno(errno, "open %s", path);
}

/*
 * SQLite would make it without the group's right to write, whatever the umask says. Not by open: whose close would take
 * away the locks of another thread that has it open already.
 */
static void make_file(const char *path) { mknod(path, S_IFREG | 0666, 0); }

sqlite3 *wi__store_open(wi_database *store, const char *path, wi__store_mode mode,
                        int busy_timeout_ms) {
    wi_error *error;
    check_that_it_is_there(path, mode);
    if (mode == WI__STORE_MAKE) make_file(path);
    *store =
        wi_database(path, .busy_timeout_ms = busy_timeout_ms, .read_only = mode == WI__STORE_READ,
                    .synchronous = WI_SYNCHRONOUS_NORMAL, .no_wal = is_on_a_network(path));
    store->protocol->enter(store);
    if (wi_call(check_and_make, store, &error)) return store->handle;
    wi__store_close(store);
    wi_reraise(error);
}

static void close_quietly(void *self) {
    wi_database *store = self;
    store->protocol->exit(store, WI_RAISED, NULL);
}

void wi__store_close(wi_database *store) { wi_call(close_quietly, store, NULL); }
