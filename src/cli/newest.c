/* The newest record. */
#include "cli/newest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int ends_as_record(const char *name) {
    size_t length = strlen(name), suffix = strlen(WI__RECORD_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, WI__RECORD_SUFFIX) == 0;
}

static int is_later(const struct stat *a, const struct stat *b) {
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec) return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

static int search_newest(DIR *folder, char *path, size_t size) {
    struct stat newest = {0}, status;
    int found = 0, at = dirfd(folder);
    for (struct dirent *entry; at >= 0 && (entry = readdir(folder));) {
        if (!ends_as_record(entry->d_name)) continue;
        if (fstatat(at, entry->d_name, &status, 0) || !S_ISREG(status.st_mode)) continue;
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
        snprintf(why, why_size,
                 "there is no record below %s/ here; make one: within run -- COMMAND",
                 WI__RECORD_FOLDER);
    else
        snprintf(why, why_size, "%s: %s", WI__RECORD_FOLDER, strerror(error));
    return 0;
}
