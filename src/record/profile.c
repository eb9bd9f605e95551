/* From a record's bytes to one tree: regions merged by path, open scopes listed, ticks made seconds. */
#include "record/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/arena.h"
#include "record/clock.h"
#include "record/gpu.h"
#include "record/merge.h"
#include "record/process.h"
#include "record/reader.h"
#include "record/record.h"

/* ---- time ---- */

static int is_this_boot(const wi__header *header) {
    char boot[sizeof header->boot_id];
    wi__boot_id(boot, sizeof boot);
    return boot[0] && strcmp(boot, header->boot_id) == 0;
}

/* Two anchors make ticks seconds; the further apart, the better. On the boot that the record is of, the
 * second is now. */
static double rate(const wi__header *header, const wi__anchor *second) {
    if (header->clock == WI__CLOCK_MONOTONIC) return 1e9;
    double ticks = (double)second->ticks - (double)header->first.ticks;
    double ns = (double)second->monotonic_ns - (double)header->first.monotonic_ns;
    double per_second = ticks / ns * 1e9;
    return ticks > 0 && ns > 0 && per_second > 1e3 && per_second < 1e12 ? per_second : 0;
}

static void relate_time(wi__profile *profile) {
    const wi__header *header = &profile->header;
    wi__anchor now = is_this_boot(header) ? wi__clock_anchor_of(header->clock) : header->last;
    profile->ticks_per_second = rate(header, &now);
    if (profile->ticks_per_second == 0) profile->ticks_per_second = rate(header, &header->last);
    if (profile->ticks_per_second == 0) {
        profile->ticks_per_second = 1e9;
        profile->damaged++;
    }
    profile->alive = !header->ended && wi__process_is_alive(&header->owner, header->boot_id);
    profile->end = profile->alive ? now.ticks : header->last.ticks;
}

/* What a running process wrote while it was read can look damaged: it is only not there yet. */
static void forgive_what_goes_on(wi__profile *profile) {
    if (!profile->alive) return;
    profile->torn += profile->damaged;
    profile->damaged = 0;
}

/* Whatever began after the last anchor shows that the process lived until then. */
static void extend_to_last_start(wi__profile *profile) {
    uint64_t latest = wi__clock_anchor_of(profile->header.clock).ticks;
    for (size_t i = 0; i < profile->open_count; i++) {
        uint64_t start = profile->open[i].start;
        if (start > profile->end && start <= latest) profile->end = start;
    }
}

/* How long all calls of a scope have been open, together. The sum of their starts may have been cut off from
 * their count, or be made up: then all are taken to be as old as the newest. */
static uint64_t open_ticks(const wi__profile *profile, const wi__open_scope *scope) {
    uint64_t newest = profile->end > scope->start ? profile->end - scope->start : 0;
    unsigned __int128 longest = profile->end - profile->header.first.ticks;
    uint64_t all = scope->count * profile->end - scope->starts;
    int is_plausible = all >= newest && all <= longest * scope->count;
    if (scope->count == 1) return newest;
    return is_plausible ? all : newest * scope->count;
}

static void add_open_time(wi__profile *profile) {
    for (size_t i = 0; i < profile->open_count; i++) {
        const wi__open_scope *scope = &profile->open[i];
        if (scope->path == WI__NO_PATH) continue;
        wi__path *path = &profile->paths[scope->path];
        path->open_calls += scope->count;
        uint64_t ticks = open_ticks(profile, scope);
        path->open_ticks += ticks;
        if (scope->around < profile->path_count && scope->around != WI__ROOT)
            profile->paths[scope->around].folded += (double)ticks;
    }
}

/* "(other)" stands at the top, but what is in it happened further in, and is in totals there already. */
static void add_children_up(wi__profile *profile) {
    wi__path *paths = profile->paths, *root = &paths[WI__ROOT];
    for (size_t i = 1; i < profile->path_count; i++) {
        paths[paths[i].parent].children += (double)paths[i].total + (double)paths[i].open_ticks;
        paths[i].children += paths[i].folded;
        root->children -= paths[i].folded;
    }
}

static int by_start_newest_first(const void *a, const void *b) {
    const wi__open_scope *one = a, *other = b;
    if (one->start != other->start) return one->start < other->start ? 1 : -1;
    return one->depth != other->depth ? (one->depth < other->depth ? 1 : -1) : 0;
}

/* ---- reading ---- */

/* Without memory they are left out. */
static void read_explanations(wi__reader *reader, wi__profile *profile) {
    enum { MOST = 4096 };
    for (int i = 0; i < WI__TALLIES; i++) {
        char lines[MOST];
        uint32_t kind = profile->header.tallies[i].kind;
        if (kind < WI__LEAKING || kind > WI__WITHDRAWN) continue;
        wi__reader_explanation(reader, &profile->header.tallies[i], lines, sizeof lines);
        if (*lines) profile->explanations[i] = strdup(lines);
    }
}

static int read_profile(const void *bytes, size_t length, wi__source source, wi__profile *profile,
                        char *why, size_t size) {
    wi__reader reader;
    memset(profile, 0, sizeof *profile);
    if (!wi__reader_begin(&reader, bytes, length, source, why, size)) return 0;
    profile->header = wi__reader_header(&reader);
    read_explanations(&reader, profile);
    int merged = wi__merge(&reader, profile);
    profile->damaged += reader.damaged;
    profile->torn = reader.torn;
    wi__reader_end(&reader);
    if (!merged) {
        wi__profile_release(profile);
        snprintf(why, size, "cannot be read: out of memory");
        return 0;
    }
    relate_time(profile);
    forgive_what_goes_on(profile);
    if (profile->open_count)
        qsort(profile->open, profile->open_count, sizeof *profile->open, by_start_newest_first);
    extend_to_last_start(profile);
    add_open_time(profile);
    add_children_up(profile);
    return 1;
}

/* Room for length bytes, aligned like a record. */
static void *aligned_room(size_t length) {
    void *room = NULL;
    return posix_memalign(&room, WI__CELL_BYTES, length ? length : 1) ? NULL : room;
}

int wi__profile_of_bytes(const void *bytes, size_t length, wi__profile *profile, char *why,
                         size_t size) {
    void *copy = aligned_room(length);
    if (!copy) {
        snprintf(why, size, "cannot be read: out of memory");
        return 0;
    }
    memcpy(copy, bytes, length);
    int read = read_profile(copy, length, (wi__source){.file = -1}, profile, why, size);
    free(copy);
    return read;
}

/* From `done` on; how many there are then. */
static size_t read_up_to(int file, char *bytes, size_t done, size_t length) {
    while (done < length) {
        ssize_t got = pread(file, bytes + done, length - done, (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += (size_t)got;
    }
    return done;
}

static int is_readable_file(int file, struct stat *status, char *why, size_t size) {
    if (fstat(file, status)) {
        snprintf(why, size, "%s", strerror(errno));
        return 0;
    }
    if (S_ISREG(status->st_mode)) return 1;
    snprintf(why, size, S_ISDIR(status->st_mode) ? "is a directory" : "is not a regular file");
    return 0;
}

/* The whole file, in new room. If a running process makes it longer meanwhile, nodes that were read may have
 * children in what is new: that is read too, a few times at most. NULL without memory. */
static char *read_whole(int file, size_t *length) {
    enum { ROUNDS = 8 };
    char *bytes = NULL;
    struct stat status;
    *length = 0;
    for (int round = 0; round < ROUNDS && fstat(file, &status) == 0; round++) {
        if (bytes && (size_t)status.st_size <= *length) break;
        char *longer = aligned_room((size_t)status.st_size);
        if (longer && bytes) memcpy(longer, bytes, *length);
        free(bytes);
        bytes = longer;
        if (!bytes) break;
        *length = read_up_to(file, bytes, *length, (size_t)status.st_size);
        if (*length >= sizeof(wi__header)) /* what it says now covers all that was read */
            read_up_to(file, bytes, 0, sizeof(wi__header));
    }
    return bytes;
}

int wi__profile_read_file(int file, wi__profile *profile, char *why, size_t size) {
    struct stat status;
    size_t length;
    memset(profile, 0, sizeof *profile);
    if (!is_readable_file(file, &status, why, size)) return 0;
    char *bytes = read_whole(file, &length);
    if (!bytes) {
        snprintf(why, size, "cannot be read: out of memory");
        return 0;
    }
    int read = read_profile(bytes, length, (wi__source){.file = file}, profile, why, size);
    free(bytes);
    return read;
}

int wi__profile_read(const char *path, wi__profile *profile, char *why, size_t size) {
    memset(profile, 0, sizeof *profile);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        snprintf(why, size, "%s", strerror(errno));
        return 0;
    }
    int read = wi__profile_read_file(file, profile, why, size);
    close(file);
    return read;
}

/* With the lock held: no node is added meanwhile. */
static void *copy_self(size_t *length) {
    *length = (size_t)wi__record_header()->used_cells * WI__CELL_BYTES;
    void *copy = aligned_room(*length);
    if (copy) wi__record_copy(copy, 0, *length);
    return copy;
}

int wi__profile_of_self(wi__profile *profile) {
    char why[128];
    size_t length;
    memset(profile, 0, sizeof *profile);
    if (!wi__lane_here()) return 0;
    if (wi__gpu_collect) wi__gpu_collect();
    wi__record_lock();
    void *copy = copy_self(&length);
    wi__record_unlock();
    if (!copy) return 0;
    int read = read_profile(copy, length, (wi__source){.own = 1}, profile, why, sizeof why);
    free(copy);
    return read;
}

void wi__profile_release(wi__profile *profile) {
    for (size_t i = 0; i < profile->path_count; i++) {
        free(profile->paths[i].name);
        free(profile->paths[i].buckets);
    }
    for (size_t i = 0; i < profile->open_count; i++) free(profile->open[i].what);
    for (int i = 0; i < WI__TALLIES; i++) free(profile->explanations[i]);
    free(profile->paths);
    free(profile->open);
    memset(profile, 0, sizeof *profile);
}
