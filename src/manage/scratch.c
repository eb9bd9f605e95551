/* Scratch directories: an owner file, then the directory; and back. */
#include "manage/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"
#include "manage/leftover.h"

struct wi__scratch {
    pid_t pid;
    int folder; /* that it lies in; stays right when the process changes its folder, or somebody renames one */
    int owner_file;
    char owner_name[NAME_MAX + 1];
    char path[]; /* its last part is the owner's name without the dot */
};

static const char cannot[] = "no scratch directory can be made in it";

const char *wi__scratch_parent(void) {
    const char *given = secure_getenv("TMPDIR");
    return given && *given ? given : "/tmp";
}

const char *wi__scratch_path(const wi__scratch *scratch) { return scratch->path; }

int wi__scratch_is_foreign(const wi__scratch *scratch) { return scratch->pid != getpid(); }

/* ---- the owner file ---- */

static int write_owner(int file) {
    char text[2048], boot[40], host[65] = "", command[1024];
    wi__process self = wi__process_self();
    wi__boot_id(boot, sizeof boot);
    gethostname(host, sizeof host - 1);
    wi__process_command(command, sizeof command);
    int length = snprintf(text, sizeof text,
                          WI__SCRATCH_MARK "pid %" PRIu32 "\nstart %" PRIu64
                                           "\nboot %s\nhost %s\ncommand %s\n",
                          self.pid, self.start, boot, host, command);
    return wi__write_all(file, text, (size_t)length);
}

/* As long as the process lives, and no longer: forked children do not inherit it. Where there are no locks the
 * file's name alone has to do. */
static void lock(int file) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(file, F_SETLK, &whole) != 0 && errno == EINTR) continue;
}

static void drop_owner_file(const wi__scratch *scratch) {
    unlinkat(scratch->folder, scratch->owner_name, 0);
    close(scratch->owner_file);
}

static int make_owner_file(wi__scratch *scratch, const char *prefix) {
    wi__owned_name(prefix, scratch->owner_name);
    do
        scratch->owner_file = openat(scratch->folder, scratch->owner_name,
                                     O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (scratch->owner_file < 0 && errno == EINTR);
    if (scratch->owner_file < 0) return errno;
    lock(scratch->owner_file);
    int error = write_owner(scratch->owner_file);
    if (error) drop_owner_file(scratch);
    return error;
}

/* ---- making both ---- */

static int make_directory(wi__scratch *scratch) {
    if (mkdirat(scratch->folder, scratch->owner_name + 1, 0700) == 0) return 0;
    int error = errno;
    drop_owner_file(scratch);
    return error;
}

/* A name that is taken was not made by this process: the next one will do. */
static int make_both(wi__scratch *scratch, const char *prefix) {
    int error = EEXIST;
    for (int i = 0; i < 100 && error == EEXIST; i++) {
        error = make_owner_file(scratch, prefix);
        if (!error) error = make_directory(scratch);
    }
    return error;
}

/* The text below which a relative path means what it says; "" for an absolute one. NULL with errno. */
static char *folder_of_relative(const char *path) {
    char *here = path[0] == '/' ? strdup("") : get_current_dir_name();
    if (here && strcmp(here, "/") == 0) here[0] = '\0';
    return here;
}

/* The folder, absolute, in memory with room for a name. NULL with errno. */
static wi__scratch *new_scratch(const char *parent, size_t *length) {
    char *here = folder_of_relative(parent);
    if (!here) return NULL;
    int is_here = strcmp(parent, ".") == 0, is_relative = parent[0] != '/';
    size_t most = strlen(here) + strlen(parent) + NAME_MAX + 3;
    wi__scratch *scratch = malloc(sizeof *scratch + most);
    if (scratch)
        *length = (size_t)sprintf(scratch->path, "%s%s%s", here, is_relative ? "/" : "",
                                  is_here ? "" : parent);
    free(here);
    return scratch;
}

static int open_parent(const char *parent) {
    int folder;
    do folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (folder < 0 && errno == EINTR);
    return folder;
}

static wi__trouble make_in(wi__scratch *scratch, const char *parent, const char *prefix) {
    scratch->pid = getpid();
    scratch->folder = open_parent(parent);
    if (scratch->folder < 0) return wi__trouble_of(cannot, errno);
    wi__leftovers_sweep(scratch->folder);
    int error = make_both(scratch, prefix);
    if (error) close(scratch->folder);
    return wi__trouble_if(error, cannot);
}

wi__trouble wi__scratch_make(const char *parent, const char *prefix, wi__scratch **made) {
    size_t length;
    wi__scratch *scratch = new_scratch(parent, &length);
    *made = NULL;
    if (!scratch) return wi__trouble_of(cannot, errno);
    wi__trouble trouble = make_in(scratch, parent, prefix);
    if (trouble.what) {
        free(scratch);
        return trouble;
    }
    while (length > 0 && scratch->path[length - 1] == '/') length--;
    sprintf(scratch->path + length, "/%s", scratch->owner_name + 1);
    *made = scratch;
    return WI__NO_TROUBLE;
}

/* ---- the end ---- */

void wi__scratch_end(wi__scratch *scratch, int keep, wi__removal *removal) {
    int folder = scratch->folder, foreign = wi__scratch_is_foreign(scratch);
    *removal = (wi__removal){.files = 0};
    if (!foreign && !keep) wi__remove_tree(folder, scratch->owner_name + 1, 0, removal);
    if (!foreign && !removal->error) wi__remove_tree(folder, scratch->owner_name, 0, removal);
    close(scratch->owner_file);
    close(folder);
    free(scratch);
}
