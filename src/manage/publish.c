/* Publishing: a file is made beside its target and renamed over it. */
#include "manage/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <within/record.h>

#include "manage/durable.h"
#include "manage/owner.h"
#include "manage/target.h"

struct wi__publication {
    wi__publication_options options;
    wi__target target;
    char name[NAME_MAX + 1]; /* of the temporary, in the target's folder */
    char path[PATH_MAX];     /* of the temporary */
    size_t reserved;         /* bytes */
    int published;
    pid_t pid;
    wi_holding holding;
};

const char *wi__publication_temporary(const wi__publication *publication) {
    return publication->path;
}

int wi__publication_is_foreign(const wi__publication *publication) {
    return publication->pid != getpid();
}

/* ---- begin ---- */

/* A process that has replaced itself by exec counts its names from the start again. */
static wi__trouble choose_name(wi__publication *publication) {
    const wi__target *target = &publication->target;
    struct stat status;
    do wi__owned_name(target->name, publication->name);
    while (fstatat(target->folder, publication->name, &status, AT_SYMLINK_NOFOLLOW) == 0);
    int error =
        errno == ENOENT ? wi__target_beside(target, publication->name, publication->path) : errno;
    return wi__trouble_if(error, "no temporary file can be named beside it");
}

static wi__trouble begin(wi__publication *publication, const char *path) {
    wi__target_wish wish = {publication->options.exclusive, !publication->options.no_sync};
    wi__trouble trouble = wi__target_open(&publication->target, path, wish);
    if (trouble.what) return trouble;
    trouble = choose_name(publication);
    if (trouble.what) wi__close(publication->target.folder);
    return trouble;
}

wi__trouble wi__publication_begin(wi__publication **made, const char *path,
                                  wi__publication_options options) {
    *made = NULL;
    wi__publication *publication = malloc(sizeof *publication);
    if (!publication) return wi__trouble_of("cannot be prepared", ENOMEM);
    publication->options = options;
    publication->reserved = 0;
    publication->published = 0;
    publication->pid = getpid();
    wi__trouble trouble = begin(publication, path);
    if (trouble.what) {
        free(publication);
        return trouble;
    }
    publication->holding = wi_hold(options.kind, "%s", path);
    *made = publication;
    return trouble;
}

/* ---- create ---- */

/* Space beyond the end: the file's size is that of what was written. */
static wi__trouble reserve(wi__publication *publication, int fd, size_t size) {
    int failed;
    if (size == 0) return WI__NO_TROUBLE;
    do failed = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
    while (failed && errno == EINTR);
    if (failed && errno != EOPNOTSUPP) return wi__trouble_of("no space can be reserved", errno);
    publication->reserved = failed ? 0 : size;
    return WI__NO_TROUBLE;
}

/* Where a file system has no locks, the name alone tells the owner. */
static void lock(int fd) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_SETLK, &whole);
}

wi__trouble wi__publication_create(wi__publication *publication, int *fd, size_t size,
                                   mode_t mode) {
    const wi__target *target = &publication->target;
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    mode_t first = mode || target->is_there ? 0600 : 0666;
    do *fd = openat(target->folder, publication->name, flags, first);
    while (*fd < 0 && errno == EINTR);
    if (*fd < 0) return wi__trouble_of("no temporary file can be made beside it", errno);
    lock(*fd);
    wi__trouble trouble = reserve(publication, *fd, size);
    if (!trouble.what) return trouble;
    wi__close(*fd);
    *fd = -1;
    return trouble;
}

/* ---- settle ---- */

/* What was reserved and is not needed goes back. */
static wi__trouble trim(const wi__publication *publication, int fd, off_t size) {
    int failed = 0;
    if ((off_t)publication->reserved > size) do
            failed = ftruncate(fd, size);
        while (failed && errno == EINTR);
    return wi__trouble_if(failed ? errno : 0, "what was reserved cannot be given back");
}

/* The old file's permissions; less where its owner or group, for whom they were, cannot be had. */
static mode_t inherited_mode(int fd, const struct stat *old, const struct stat *now) {
    mode_t mode = old->st_mode & 07777;
    if (old->st_gid != now->st_gid && fchown(fd, (uid_t)-1, old->st_gid) != 0) {
        mode &= ~(mode_t)S_ISGID;
        mode &= ~(mode_t)070 | (mode & 07) << 3;
    }
    if (old->st_uid != now->st_uid && fchown(fd, old->st_uid, (gid_t)-1) != 0)
        mode &= ~(mode_t)S_ISUID;
    return mode;
}

static wi__trouble set_mode(wi__publication *publication, int fd, mode_t mode,
                            const struct stat *now) {
    wi__target *target = &publication->target;
    wi__trouble trouble = wi__target_look(target); /* it may have changed since the begin */
    if (trouble.what) return trouble;
    if (!mode && target->is_there) mode = inherited_mode(fd, &target->status, now);
    if (!mode || mode == (now->st_mode & 07777)) return trouble;
    return wi__trouble_if(fchmod(fd, mode) ? errno : 0, "its permissions cannot be set");
}

wi__trouble wi__publication_settle(wi__publication *publication, int fd, mode_t mode) {
    struct stat now;
    if (fstat(fd, &now) != 0) return wi__trouble_of("cannot be looked at", errno);
    wi__trouble trouble = trim(publication, fd, now.st_size);
    if (!trouble.what) trouble = set_mode(publication, fd, mode, &now);
    if (trouble.what || publication->options.no_sync) return trouble;
    return wi__trouble_if(wi__sync(fd), "cannot be synced");
}

/* ---- publish ---- */

static void discard(const wi__publication *publication) {
    if (unlinkat(publication->target.folder, publication->name, 0) == 0 || errno == ENOENT) return;
    char reason[128];
    fprintf(stderr, "within: %s is left behind: %s\n", publication->path,
            strerror_r(errno, reason, sizeof reason));
}

/* Some file systems cannot rename so; a link is as exclusive. */
static int rename_to_nothing(const wi__publication *publication) {
    int folder = publication->target.folder;
    const char *from = publication->name, *to = publication->target.name;
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (linkat(folder, from, folder, to, 0) != 0) return errno;
    discard(publication);
    return 0;
}

static int rename_over(const wi__publication *publication) {
    int folder = publication->target.folder;
    return renameat(folder, publication->name, folder, publication->target.name) ? errno : 0;
}

wi__trouble wi__publication_publish(wi__publication *publication) {
    int error =
        publication->options.exclusive ? rename_to_nothing(publication) : rename_over(publication);
    if (error == EBUSY)
        return wi__trouble_of("cannot be renamed over: is it a mount point?", EBUSY);
    if (error) return wi__trouble_of("cannot be renamed over", error);
    publication->published = 1;
    error = publication->options.no_sync ? 0 : wi__sync(publication->target.folder);
    if (error == EINVAL) error = 0; /* a file system that does not sync folders */
    return wi__trouble_if(error,
                          "the new content is in place, but its folder cannot be synced, and a "
                          "power cut may bring back the old");
}

void wi__publication_end(wi__publication *publication) {
    if (!publication->published && !wi__publication_is_foreign(publication)) discard(publication);
    wi_let_go(publication->holding);
    wi__close(publication->target.folder);
    free(publication);
}

void wi__publication_say_left(const char *path) {
    fprintf(stderr, "within: %s: its block was left before the end, and nothing is published\n",
            path);
}
