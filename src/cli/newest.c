/* Looking for records in folders. */
#include "cli/newest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/format.h"

/* ---- the newest ---- */

static int ends_as_record(const char *name) {
    size_t length = strlen(name), suffix = strlen(WI__RECORD_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, WI__RECORD_SUFFIX) == 0;
}

static int is_later(const struct stat *a, const struct stat *b) {
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec) return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

static int search_newest(DIR *folder, char *path, size_t size) {
    struct stat newest, status;
    int found = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!ends_as_record(entry->d_name)) continue;
        if (fstatat(dirfd(folder), entry->d_name, &status, 0) || !S_ISREG(status.st_mode)) continue;
        if (found && !is_later(&status, &newest)) continue;
        newest = status;
        found = 1;
        snprintf(path, size, WI__RECORD_FOLDER "/%s", entry->d_name);
    }
    return found;
}

int wi__newest_record(char *path, size_t size, char *why, size_t why_size) {
    DIR *folder = opendir(WI__RECORD_FOLDER);
    int error = folder ? ENOENT : errno;
    int found = folder && search_newest(folder, path, size);
    if (folder) closedir(folder);
    if (found) return 1;
    if (error == ENOENT)
        snprintf(why, why_size, "there is no record below %s/ here; make one: within run -- COMMAND", WI__RECORD_FOLDER);
    else
        snprintf(why, why_size, "%s: %s", WI__RECORD_FOLDER, strerror(error));
    return 0;
}

/* ---- siblings ---- */

/* "<name>.<digits>", and "<name>.<digits>.<digits>" for a pid that came twice */
static int is_sibling_name(const char *entry, const char *name) {
    size_t length = strlen(name);
    if (strncmp(entry, name, length) != 0 || entry[length] != '.') return 0;
    const char *rest = entry + length;
    return isdigit((unsigned char)rest[1]) && rest[strspn(rest, ".0123456789")] == '\0';
}

static int begins_after(int folder, const char *name, uint64_t realtime_ns) {
    wi__header header;
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return 0;
    ssize_t got = pread(file, &header, sizeof header, 0);
    close(file);
    return got == (ssize_t)sizeof header && memcmp(header.magic, WI__MAGIC, sizeof header.magic) == 0 &&
           header.first.realtime_ns >= realtime_ns;
}

size_t wi__siblings(const char *path, uint64_t realtime_ns, char *first, size_t size) {
    char folder_of[PATH_MAX], name_of[PATH_MAX];
    snprintf(folder_of, sizeof folder_of, "%s", path);
    snprintf(name_of, sizeof name_of, "%s", path);
    const char *folder_name = dirname(folder_of), *name = basename(name_of);
    DIR *folder = opendir(folder_name);
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!is_sibling_name(entry->d_name, name)) continue;
        if (!begins_after(dirfd(folder), entry->d_name, realtime_ns)) continue;
        if (count++ == 0) snprintf(first, size, "%.*s%s", (int)(strlen(path) - strlen(name)), path, entry->d_name);
    }
    if (folder) closedir(folder);
    return count;
}
