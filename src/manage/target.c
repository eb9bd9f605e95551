/* Where a file is to appear: links followed to their end, and what is there looked at. */
#include "manage/target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "manage/durable.h"

enum { MOST_LINKS = 40 }; /* as the kernel has it */

/* How much of a path is its folder's, the last '/' included; 0 when it has none. */
static int folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

/* What a name means in the folder of a path. */
static int beside(const char *path, const char *name, char joined[PATH_MAX]) {
    int kept = name[0] == '/' ? 0 : folder_length(path);
    int length = snprintf(joined, PATH_MAX, "%.*s%s", kept, path, name);
    return length < PATH_MAX ? 0 : ENAMETOOLONG;
}

int wi__target_beside(const wi__target *target, const char *name, char path[PATH_MAX]) {
    return beside(target->path, name, path);
}

/* Without the working folder's name the path stays as it is. */
static int make_absolute(const char *path, char absolute[PATH_MAX]) {
    char here[PATH_MAX - 1] = "";
    if (path[0] == '/' || !getcwd(here, sizeof here)) here[0] = '\0';
    int length = snprintf(absolute, PATH_MAX, "%s%s%s", here, here[0] ? "/" : "", path);
    return length < PATH_MAX ? 0 : ENAMETOOLONG;
}

/* In /proc links stand for open descriptors: /dev/stdout leads to one, whatever file that is. */
static int is_descriptor(const char *path) {
    char folder[PATH_MAX];
    struct statfs system;
    snprintf(folder, sizeof folder, "%.*s", folder_length(path), path);
    return statfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

static wi__trouble follow_links(char path[PATH_MAX]) {
    char link[PATH_MAX], next[PATH_MAX];
    for (int links = 0;; links++) {
        ssize_t length = readlink(path, link, sizeof link - 1);
        if (length < 0 && (errno == EINVAL || errno == ENOENT)) return WI__NO_TROUBLE;
        if (length < 0) return wi__trouble_of("cannot be found", errno);
        if (links == MOST_LINKS) return wi__trouble_of("cannot be found", ELOOP);
        if (is_descriptor(path))
            return wi__trouble_of("is an open descriptor: only a regular file can be replaced", 0);
        link[length] = '\0';
        if (beside(path, link, next)) return wi__trouble_of("cannot be found", ENAMETOOLONG);
        memcpy(path, next, strlen(next) + 1);
    }
}

static wi__trouble find(wi__target *target, const char *path, wi__target_wish wish) {
    if (!path || !*path) return wi__trouble_of("cannot be found", ENOENT);
    int error = make_absolute(path, target->path);
    wi__trouble trouble = wi__trouble_if(error, "cannot be found");
    if (!trouble.what && !wish.is_new) trouble = follow_links(target->path);
    target->name = target->path + folder_length(target->path);
    return trouble;
}

static wi__trouble open_folder(wi__target *target, wi__target_wish wish) {
    char folder[PATH_MAX];
    int length = folder_length(target->path), flags = wish.to_be_read ? O_RDONLY : O_PATH;
    snprintf(folder, sizeof folder, "%.*s", length, target->path);
    do target->folder = open(length ? folder : ".", flags | O_DIRECTORY | O_CLOEXEC);
    while (target->folder < 0 && errno == EINTR);
    return wi__trouble_if(target->folder < 0 ? errno : 0, "its folder cannot be opened");
}

wi__trouble wi__target_look(wi__target *target) {
    if (!*target->name) return wi__trouble_of("cannot be replaced", EISDIR);
    if (fstatat(target->folder, target->name, &target->status, AT_SYMLINK_NOFOLLOW) == 0)
        target->is_there = 1;
    else if (errno != ENOENT)
        return wi__trouble_of("cannot be looked at", errno);
    return WI__NO_TROUBLE;
}

static wi__trouble check_file(const wi__target *target, wi__target_wish wish) {
    if (wish.is_new) return wi__trouble_of("must not be there", EEXIST);
    if (S_ISDIR(target->status.st_mode)) return wi__trouble_of("cannot be replaced", EISDIR);
    if (!S_ISREG(target->status.st_mode))
        return wi__trouble_of(
            "is a pipe, a device or a socket: only a regular file can be replaced", 0);
    int allowed = faccessat(target->folder, target->name, W_OK, AT_EACCESS) == 0;
    return wi__trouble_if(allowed ? 0 : errno, "must not be written");
}

static wi__trouble check_folder(const wi__target *target) {
    int allowed = faccessat(target->folder, ".", W_OK | X_OK, AT_EACCESS) == 0;
    return wi__trouble_if(allowed ? 0 : errno, "its folder must not be written");
}

wi__trouble wi__target_open(wi__target *target, const char *path, wi__target_wish wish) {
    target->is_there = 0;
    wi__trouble trouble = find(target, path, wish);
    if (!trouble.what) trouble = open_folder(target, wish);
    if (trouble.what) return trouble;
    trouble = wi__target_look(target);
    if (!trouble.what && target->is_there) trouble = check_file(target, wish);
    if (!trouble.what) trouble = check_folder(target);
    if (trouble.what) wi__close(target->folder);
    return trouble;
}
