/* Names in the folder of a series, and the checkpoints that they stand for. */
#include "manage/checkpoint_series.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"
#include "manage/owner.h"

static const char stem[] = "checkpoint-", manifest_end[] = ".manifest";

/* ---- names ---- */

int wi__data_name(uint64_t sequence, const char *suffix, char name[NAME_MAX + 1]) {
    int length = snprintf(name, NAME_MAX + 1, "%s%06" PRIu64 "%s", stem, sequence, suffix);
    return length > NAME_MAX ? -1 : 0;
}

void wi__manifest_name(uint64_t sequence, char name[NAME_MAX + 1]) {
    wi__data_name(sequence, manifest_end, name);
}

/* No digit first, since it would be one of the sequence; and no suffix that names of manifests have. */
int wi__is_suffix(const char *suffix) {
    const size_t longest = 100;
    return !suffix ||
           (strlen(suffix) <= longest && !strchr(suffix, '/') &&
            !(suffix[0] >= '0' && suffix[0] <= '9') && strcmp(suffix, manifest_end) != 0);
}

/* The sequence that a name begins with; 0 if it is none of a checkpoint. */
static uint64_t sequence_of(const char *name, const char **suffix) {
    char again[NAME_MAX + 1], *end;
    *suffix = name;
    if (strncmp(name, stem, sizeof stem - 1) != 0) return 0;
    errno = 0;
    uint64_t sequence = strtoull(name + sizeof stem - 1, &end, 10);
    *suffix = end;
    if (errno || wi__data_name(sequence, end, again) != 0) return 0;
    return strcmp(name, again) == 0 ? sequence : 0;
}

/* ---- what is in the folder ---- */

static int add_published(wi__listing *listing, uint64_t sequence) {
    if (listing->count == listing->room) {
        size_t room = listing->room ? 2 * listing->room : 32;
        uint64_t *published = realloc(listing->published, room * sizeof *published);
        if (!published) return -1;
        listing->published = published;
        listing->room = room;
    }
    listing->published[listing->count++] = sequence;
    return 0;
}

static int add_leftover(wi__listing *listing, const char *name) {
    if (listing->leftover_count == listing->leftover_room) {
        size_t room = listing->leftover_room ? 2 * listing->leftover_room : 8;
        wi__stray *leftovers = realloc(listing->leftovers, room * sizeof *leftovers);
        if (!leftovers) return -1;
        listing->leftovers = leftovers;
        listing->leftover_room = room;
    }
    wi__stray *added = &listing->leftovers[listing->leftover_count++];
    snprintf(added->name, sizeof added->name, "%s", name);
    return 0;
}

/* A manifest that does not count: under the lock, only a removal that failed half-way has left one of this process. */
static int is_abandoned(const wi__owner *owner, int is_manifest) {
    return wi__owner_state_of(owner) == WI__OWNER_DEAD ||
           (is_manifest && owner->process.pid == (uint32_t)getpid() &&
            wi__owner_state_of(owner) == WI__OWNER_ALIVE);
}

static int begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

uint64_t wi__stray_sequence(const char *name) {
    const char *suffix;
    uint64_t sequence = sequence_of(name + 1, &suffix);
    return sequence && begins(suffix, ".manifest.within-") ? sequence : 0;
}

static int add_hidden(wi__listing *listing, const char *name) {
    wi__owner owner;
    uint64_t sequence = wi__stray_sequence(name);
    if (!sequence && !begins(name, "." WI__SCRATCH_STEM ".within-")) return 0;
    if (!wi__owner_of_name(name, &owner)) return 0;
    if (sequence > listing->last) listing->last = sequence;
    return is_abandoned(&owner, sequence != 0) ? add_leftover(listing, name) : 0;
}

static int add_name(wi__listing *listing, const char *name) {
    const char *suffix;
    if (name[0] == '.') return add_hidden(listing, name);
    uint64_t sequence = sequence_of(name, &suffix);
    if (sequence > listing->last) listing->last = sequence;
    return sequence && strcmp(suffix, manifest_end) == 0 ? add_published(listing, sequence) : 0;
}

static int by_sequence(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static int list_entries(wi__listing *listing, DIR *entries, wi__failure *failure) {
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(entries)); errno = 0)
        if (add_name(listing, entry->d_name))
            return wi__fail(failure, WI_MEMORY_ERROR, "no memory");
    if (errno) return wi__fail_errno(failure, errno, "the folder cannot be read");
    if (listing->count)
        qsort(listing->published, listing->count, sizeof *listing->published, by_sequence);
    return 0;
}

int wi__series_open(const char *path) {
    int folder;
    do folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder < 0 && errno == EINTR);
    return folder;
}

/* With a descriptor of its own: the position in the folder is shared by all that were made from one. */
int wi__series_list(wi__listing *listing, int folder, wi__failure *failure) {
    *listing = (wi__listing){.published = NULL};
    int again;
    do again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (again < 0 && errno == EINTR);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    if (!entries) {
        int error = errno;
        if (again >= 0) wi__close(again);
        return wi__fail_errno(failure, error, "the folder cannot be read");
    }
    int failed = list_entries(listing, entries, failure);
    closedir(entries);
    return failed;
}

void wi__listing_release(wi__listing *listing) {
    free(listing->leftovers);
    free(listing->published);
    *listing = (wi__listing){.published = NULL};
}

/* ---- one checkpoint ---- */

int wi__series_is_manifest_of(const wi__manifest *manifest, uint64_t sequence) {
    const char *suffix;
    return manifest->sequence == sequence && sequence_of(manifest->data, &suffix) == sequence &&
           wi__is_suffix(suffix);
}

int wi__series_read(wi__manifest *manifest, int folder, uint64_t sequence, wi__failure *failure) {
    char name[NAME_MAX + 1];
    wi__failure why;
    wi__manifest_name(sequence, name);
    if (wi__manifest_read(manifest, folder, name, &why)) {
        if (why.errnum) return wi__fail_errno(failure, why.errnum, "%s: %s", name, why.text);
        return wi__fail(failure, why.kind, "%s: %s", name, why.text);
    }
    if (wi__series_is_manifest_of(manifest, sequence)) return 0;
    return wi__fail(failure, WI_DATA_ERROR, "%s: it is the manifest of %s, sequence %" PRIu64, name,
                    manifest->data, manifest->sequence);
}

static int check_content(const wi__manifest *manifest, int folder, int how, wi__failure *failure) {
    wi__content found;
    int failed = wi__content_read(&found, folder, manifest->data, how, failure) ||
                 wi__content_compare(&manifest->content, &found, how & WI__SUM, failure);
    wi__content_release(&found);
    return failed ? -1 : 0;
}

/* Sizes first: they tell most, and no file is read for them. */
int wi__series_check(wi__manifest *manifest, int folder, uint64_t sequence, int with_sums,
                     wi__failure *failure) {
    if (wi__series_read(manifest, folder, sequence, failure) ||
        check_content(manifest, folder, 0, failure))
        return -1;
    return with_sums ? check_content(manifest, folder, WI__SUM, failure) : 0;
}

/* ---- what the dead left ---- */

static int clean(int folder, const char *path, wi__failure *failure) {
    wi__listing listing;
    int lock = wi__series_lock(folder, failure);
    if (lock < 0) return -1;
    int failed = wi__series_list(&listing, folder, failure);
    if (!failed) wi__series_tidy(folder, path, &listing);
    wi__listing_release(&listing);
    wi__series_unlock(lock);
    return failed;
}

int wi__series_clean(const char *path, wi__failure *failure) {
    int folder = wi__series_open(path);
    if (folder < 0) return wi__fail_errno(failure, errno, "the folder cannot be opened");
    int failed = clean(folder, path, failure);
    wi__close(folder);
    return failed;
}
