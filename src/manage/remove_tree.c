/* Removing trees: files are unlinked on the way down, folders on the way up. */
#include "manage/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manage/walk.h"

typedef struct remover {
    int how;
    wi__removal *removal;
} remover;

static void note(void *self, const wi__walk *walk, const char *name, int error) {
    wi__removal *removal = ((remover *)self)->removal;
    if (removal->left++ || removal->error) return;
    removal->error = error == EXDEV ? EBUSY : error;
    wi__walk_path(walk, name, removal->path, sizeof removal->path);
}

static int unlink_at(int folder, const char *name, int flags) {
    int error;
    do error = unlinkat(folder, name, flags) ? errno : 0;
    while (error == EINTR);
    return error;
}

static int is_folder(int folder, const char *name, uint64_t *bytes) {
    struct stat status;
    *bytes = 0;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW)) return 0;
    if (S_ISREG(status.st_mode)) *bytes = (uint64_t)status.st_size;
    return S_ISDIR(status.st_mode);
}

static int remove_entry(void *self, const wi__walk *walk, const char *name, unsigned char type) {
    const remover *r = self;
    uint64_t bytes = 0;
    if (type == DT_DIR) return 1;
    if (r->how && is_folder(wi__walk_folder(walk), name, &bytes)) return 1;
    int error = r->how & WI__REMOVE_DRY ? 0 : unlink_at(wi__walk_folder(walk), name, 0);
    if (error == EISDIR) return 1;
    if (error == ENOENT) return 0;
    if (error) {
        note(self, walk, name, error);
        return 0;
    }
    r->removal->files++;
    r->removal->bytes += bytes;
    return 0;
}

/* By the descriptor: a name could have become a link to somewhere else. */
static void make_writable(void *self, int folder, const struct statx *status) {
    char path[40];
    if (((const remover *)self)->how & WI__REMOVE_DRY) return;
    if ((status->stx_mode & S_IRWXU) == S_IRWXU || status->stx_uid != geteuid()) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
    chmod(path, (status->stx_mode & 07777) | S_IRWXU);
}

/* A folder that cannot be read may be empty. */
static void not_walked(void *self, const wi__walk *walk, const char *name, int error) {
    int is_dry = ((const remover *)self)->how & WI__REMOVE_DRY;
    if (error == EACCES && !is_dry && !unlink_at(wi__walk_folder(walk), name, AT_REMOVEDIR)) return;
    note(self, walk, name, error);
}

/* A folder that something stayed in cannot go; why is told already. */
static int remove_folder(void *self, const wi__walk *walk, const char *name) {
    const remover *r = self;
    if (r->how & WI__REMOVE_DRY) return 0;
    int error = unlink_at(wi__walk_folder(walk), name, AT_REMOVEDIR);
    if (error == ENOTEMPTY && r->removal->left) return 0;
    if (error == ENOTEMPTY || error == ENOTDIR) return error;
    if (error && error != ENOENT) note(self, walk, name, error);
    return 0;
}

static const wi__walker walker = {remove_entry, make_writable, remove_folder, not_walked};

int wi__remove_tree(int folder, const char *name, int how, wi__removal *removal) {
    remover r = {how, removal};
    *removal = (wi__removal){.files = 0};
    int error = wi__walk_tree(folder, name, &walker, &r);
    if (error && !removal->error) {
        removal->error = error;
        snprintf(removal->path, sizeof removal->path, "%s", name);
    }
    return removal->error;
}
