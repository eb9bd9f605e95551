/* The steps of a checkpoint's publication, each of which can fail, be undone, and be cut off by a kill. */
#include "manage/checkpoint_publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "manage/durable.h"
#include "manage/owner.h"

/* ---- what the block made ---- */

static int is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* Functions that append what a name lacks, as NumPy's savez does, make another file than they were told to. */
static int fail_for_other(const wi__saving *saving, int has_data, const char *other,
                          wi__failure *failure) {
    size_t length = strlen(saving->data);
    if (has_data)
        return wi__fail(failure, WI_USAGE_ERROR,
                        "the block made %s beside %s; to save several files make a folder of that "
                        "name, and put them there",
                        other, saving->path);
    if (strncmp(other, saving->data, length) == 0 && wi__is_suffix(other + length))
        return wi__fail(failure, WI_USAGE_ERROR,
                        "the block made %s%s, and not that path; give the suffix \"%s\", so that "
                        "nothing is appended, or open the path and write to the file",
                        saving->path, other + length, other + length);
    return wi__fail(failure, WI_USAGE_ERROR, "the block made %s, and not %s", other, saving->path);
}

static int check_entries(const wi__saving *saving, DIR *entries, wi__failure *failure) {
    int has_data = 0;
    char other[NAME_MAX + 1] = "";
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(entries)); errno = 0) {
        if (strcmp(entry->d_name, saving->data) == 0)
            has_data = 1;
        else if (!is_dots(entry->d_name))
            snprintf(other, sizeof other, "%s", entry->d_name);
    }
    if (errno) return wi__fail_errno(failure, errno, "%s cannot be read", saving->scratch);
    if (other[0]) return fail_for_other(saving, has_data, other, failure);
    if (has_data) return 0;
    return wi__fail(failure, WI_USAGE_ERROR, "the block made nothing at %s", saving->path);
}

/* @return the folder in which the block worked, or -1 and the failure */
static int open_scratch(const wi__saving *saving, wi__failure *failure) {
    int fd;
    do
        fd = openat(saving->folder, saving->scratch,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) wi__fail_errno(failure, errno, "%s cannot be opened", saving->scratch);
    return fd;
}

static int check_scratch(const wi__saving *saving, wi__failure *failure) {
    int fd = open_scratch(saving, failure);
    if (fd < 0) return -1;
    DIR *entries = fdopendir(fd);
    if (!entries) {
        wi__fail_errno(failure, errno, "%s cannot be read", saving->scratch);
        wi__close(fd);
        return -1;
    }
    int failed = check_entries(saving, entries, failure);
    closedir(entries);
    return failed;
}

/* ---- names ---- */

typedef struct manifest_names {
    char manifest[NAME_MAX + 1];
    char unpublished[NAME_MAX + 1]; /* the manifest's, before it counts */
} manifest_names;

static int find_names(const wi__saving *saving, uint64_t last, wi__manifest *manifest,
                      manifest_names *names, wi__failure *failure) {
    if (last >= (uint64_t)INT64_MAX)
        return wi__fail(failure, WI_VALUE_ERROR, "there is no number after the last one's");
    manifest->sequence = last + 1;
    wi__manifest_name(manifest->sequence, names->manifest);
    wi__owned_name(names->manifest, names->unpublished);
    return wi__data_name(manifest->sequence, saving->suffix, manifest->data)
               ? wi__fail_errno(failure, ENAMETOOLONG, "the suffix is too long")
               : 0;
}

static void note_time(wi__manifest *manifest) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    manifest->time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the steps, with the lock ---- */

static int move(int from_folder, const char *from, int to_folder, const char *to) {
    int error;
    do error = renameat(from_folder, from, to_folder, to) ? errno : 0;
    while (error == EINTR);
    return error;
}

/* In the order that keeps a kill here from leaving data that nobody knows to be unpublished. */
static void undo(const wi__saving *saving, int scratch, const wi__manifest *manifest,
                 const manifest_names *names) {
    int error = move(saving->folder, names->manifest, saving->folder, names->unpublished);
    if (error && error != ENOENT) return; /* it stays published, and is whole */
    error = move(saving->folder, manifest->data, scratch, saving->data);
    if (!error || error == ENOENT) unlinkat(saving->folder, names->unpublished, 0);
}

static int sync_series(const wi__saving *saving, wi__failure *failure) {
    int error = wi__sync(saving->folder);
    if (!error || error == EINVAL) return 0; /* a file system that does not sync folders */
    return wi__fail_errno(failure, error, "the folder could not be written to the disk");
}

/* What another thread still writes to shows here, if anywhere. */
static int verify(const wi__saving *saving, uint64_t sequence, wi__failure *failure) {
    wi__manifest read_again;
    int failed = wi__series_check(&read_again, saving->folder, sequence, 0, failure);
    wi__manifest_release(&read_again);
    return failed;
}

static int rename_both(const wi__saving *saving, int scratch, const wi__manifest *manifest,
                       const manifest_names *names, wi__failure *failure) {
    int error = move(scratch, saving->data, saving->folder, manifest->data);
    if (!error) error = move(saving->folder, names->unpublished, saving->folder, names->manifest);
    return error ? wi__fail_errno(failure, error, "it cannot be renamed to %s", manifest->data) : 0;
}

static int publish_in(const wi__saving *saving, int scratch, wi__manifest *manifest, uint64_t last,
                      wi__failure *failure) {
    manifest_names names;
    note_time(manifest);
    if (find_names(saving, last, manifest, &names, failure) ||
        wi__manifest_write(manifest, saving->folder, names.unpublished, failure))
        return -1;
    if (rename_both(saving, scratch, manifest, &names, failure) == 0 &&
        sync_series(saving, failure) == 0 && verify(saving, manifest->sequence, failure) == 0)
        return 0;
    undo(saving, scratch, manifest, &names);
    return -1;
}

static int publish_from(const wi__saving *saving, int scratch, wi__manifest *manifest,
                        const wi_checkpoints_options *options, wi__failure *failure) {
    wi__listing listing;
    int lock = wi__series_lock(saving->folder, failure);
    if (lock < 0) return -1;
    int failed = wi__series_list(&listing, saving->folder, failure);
    if (!failed) failed = publish_in(saving, scratch, manifest, listing.last, failure);
    if (!failed) {
        wi__series_tidy(saving->folder, saving->folder_path, &listing);
        wi__series_rotate(saving->folder, saving->folder_path, options);
    }
    wi__listing_release(&listing);
    wi__series_unlock(lock);
    return failed;
}

/* Summed and on the disk before the lock is taken: others need not wait for that. */
static int publish(const wi__saving *saving, wi__manifest *manifest,
                   const wi_checkpoints_options *options, wi__failure *failure) {
    if (check_scratch(saving, failure)) return -1;
    int scratch = open_scratch(saving, failure);
    if (scratch < 0) return -1;
    int failed =
        wi__content_read(&manifest->content, scratch, saving->data, WI__SUM | WI__SYNC, failure) ||
        publish_from(saving, scratch, manifest, options, failure);
    wi__close(scratch);
    return failed ? -1 : 0;
}

/* A thread that is cancelled half-way would leave descriptors and memory behind. */
int wi__checkpoint_publish(const wi__saving *saving, wi__manifest *manifest,
                           const wi_checkpoints_options *options, wi__failure *failure) {
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int failed = publish(saving, manifest, options, failure);
    pthread_setcancelstate(state, NULL);
    return failed;
}
