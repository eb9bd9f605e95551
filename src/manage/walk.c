/* A walk is a stack of folders, and one of the names that wait in them. */
#include "manage/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ROUNDS = 8 }; /* with one folder that changes under the walk, and with the whole tree */

/* Which folder it is, and on which mount. */
typedef struct identity {
    uint64_t device, inode, mount;
} identity;

typedef struct level {
    identity folder;
    size_t begin; /* of its names; the last one of those below the next level is being walked */
    int round;
} level;

struct wi__walk {
    const wi__walker *walker;
    void *self;
    int start; /* the caller's folder */
    int folder;
    level *levels;
    size_t depth, most_levels;
    char *names; /* each ended by '\0' */
    size_t used, size;
    int round; /* of the name that comes next */
    int restarts;
};

/* ---- the stacks ---- */

/* An array with room for `wanted` elements; NULL without memory, and the old one stays. */
static void *with_room(void *array, size_t *room, size_t wanted, size_t element) {
    if (array && wanted <= *room) return array;
    size_t more = wanted < 64 ? 128 : 2 * wanted;
    void *larger = realloc(array, more * element);
    if (larger) *room = more;
    return larger;
}

static int push_name(wi__walk *walk, const char *name) {
    size_t length = strlen(name) + 1;
    char *names = with_room(walk->names, &walk->size, walk->used + length, 1);
    if (!names) return ENOMEM;
    walk->names = names;
    memcpy(names + walk->used, name, length);
    walk->used += length;
    return 0;
}

static int push_level(wi__walk *walk, const identity *folder) {
    level *levels =
        with_room(walk->levels, &walk->most_levels, walk->depth + 1, sizeof *walk->levels);
    if (!levels) return ENOMEM;
    walk->levels = levels;
    levels[walk->depth++] = (level){*folder, walk->used, walk->round};
    walk->round = 0;
    return 0;
}

/* The last of the names from `begin` to `end`. */
static char *last_name(const wi__walk *walk, size_t begin, size_t end) {
    const char *before = memrchr(walk->names + begin, '\0', end - begin - 1);
    return before ? walk->names + (before + 1 - walk->names) : walk->names + begin;
}

static char *next_name(const wi__walk *walk) {
    return last_name(walk, walk->levels[walk->depth - 1].begin, walk->used);
}

static void pop_name(wi__walk *walk) {
    walk->used = (size_t)(next_name(walk) - walk->names);
    walk->round = 0;
}

int wi__walk_folder(const wi__walk *walk) { return walk->folder; }

/* @return the length now; one that is too large if the part did not fit */
static size_t append(char *buffer, size_t length, size_t size, const char *part) {
    if (length >= size) return length;
    return length +
           (size_t)snprintf(buffer + length, size - length, "%s%s", length ? "/" : "", part);
}

void wi__walk_path(const wi__walk *walk, const char *name, char *buffer, size_t size) {
    static const char cut[] = "…";
    size_t length = 0;
    buffer[0] = '\0';
    for (size_t i = 1; i < walk->depth; i++)
        length = append(buffer, length, size,
                        last_name(walk, walk->levels[i - 1].begin, walk->levels[i].begin));
    if (strcmp(name, ".") != 0 || walk->depth == 1) length = append(buffer, length, size, name);
    if (length >= size) memcpy(buffer + size - sizeof cut, cut, sizeof cut);
}

/* ---- folders ---- */

static int open_folder(int folder, const char *name, int access) {
    int opened;
    do opened = openat(folder, name, access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (opened < 0 && errno == EINTR);
    return opened;
}

/* @return 0, or -1 with errno */
static int identify(int folder, identity *is, struct statx *status) {
    unsigned mask = STATX_BASIC_STATS;
#ifdef STATX_MNT_ID
    mask |= STATX_MNT_ID;
#endif
    if (statx(folder, "", AT_EMPTY_PATH, mask, status)) return -1;
    is->device = (uint64_t)status->stx_dev_major << 32 | status->stx_dev_minor;
    is->inode = status->stx_ino;
    is->mount = 0;
#ifdef STATX_MNT_ID /* tells a mount of the same file system, which has the same device */
    if (status->stx_mask & STATX_MNT_ID) is->mount = status->stx_mnt_id;
#endif
    return 0;
}

static int is_same(const identity *one, const identity *other) {
    return one->device == other->device && one->inode == other->inode && one->mount == other->mount;
}

static void stand_in(wi__walk *walk, int folder) {
    if (walk->folder != walk->start) close(walk->folder);
    walk->folder = folder;
}

static void fail(const wi__walk *walk, const char *name, int error) {
    if (error != ENOENT) walk->walker->failed(walk->self, walk, name, error);
}

/* ---- the walk ---- */

static int is_dots(const char *name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int read_entries(wi__walk *walk, DIR *entries) {
    int error = 0;
    errno = 0;
    for (struct dirent *entry; !error && (entry = readdir(entries)); errno = 0) {
        if (is_dots(entry->d_name)) continue;
        if (walk->walker->entry(walk->self, walk, entry->d_name, entry->d_type))
            error = push_name(walk, entry->d_name);
    }
    if (errno) fail(walk, ".", errno);
    return error;
}

/* What was a folder when it was seen can be anything by now. */
static void look_again(wi__walk *walk, int error) {
    if (walk->round++ < MOST_ROUNDS &&
        walk->walker->entry(walk->self, walk, next_name(walk), DT_UNKNOWN))
        return;
    if (walk->round > MOST_ROUNDS) fail(walk, next_name(walk), error);
    pop_name(walk);
}

/* What is to be read of a folder; NULL with errno if it cannot be, or is on another mount. */
static DIR *open_entries(const wi__walk *walk, int folder, identity *is) {
    struct statx status;
    const identity *above = &walk->levels[walk->depth - 1].folder;
    if (identify(folder, is, &status)) return NULL;
    if (is->device != above->device || is->mount != above->mount) {
        errno = EXDEV;
        return NULL;
    }
    if (walk->walker->before) walk->walker->before(walk->self, folder, &status);
    int readable = open_folder(folder, ".", O_RDONLY);
    DIR *entries = readable < 0 ? NULL : fdopendir(readable);
    if (!entries && readable >= 0) close(readable);
    return entries;
}

static int enter(wi__walk *walk, int folder) {
    identity is;
    DIR *entries = open_entries(walk, folder, &is);
    if (!entries) {
        fail(walk, next_name(walk), errno);
        close(folder);
        pop_name(walk);
        return 0;
    }
    int error = push_level(walk, &is);
    stand_in(walk, folder);
    if (!error) error = read_entries(walk, entries);
    closedir(entries);
    return error;
}

static int go_down(wi__walk *walk) {
    int folder = open_folder(walk->folder, next_name(walk), O_PATH);
    if (folder >= 0) return enter(walk, folder);
    if (errno == ENOTDIR || errno == ELOOP) {
        look_again(walk, errno);
        return 0;
    }
    fail(walk, next_name(walk), errno);
    pop_name(walk);
    return 0;
}

static int begin_again(wi__walk *walk) {
    walk->depth = 1;
    walk->round = 0;
    walk->used = strlen(walk->names) + 1;
    stand_in(walk, walk->start);
    return walk->restarts++ < MOST_ROUNDS ? 0 : ESTALE;
}

/* The folder above, or -1 if it is not the one that the walk came from. */
static int open_above(const wi__walk *walk) {
    identity is;
    struct statx status;
    if (walk->depth == 2) return walk->start;
    int above = open_folder(walk->folder, "..", O_PATH);
    if (above < 0) return -1;
    if (identify(above, &is, &status) == 0 && is_same(&is, &walk->levels[walk->depth - 2].folder))
        return above;
    close(above);
    return -1;
}

static int go_up(wi__walk *walk) {
    int above = open_above(walk), round = walk->levels[walk->depth - 1].round;
    if (above < 0) return begin_again(walk);
    stand_in(walk, above);
    walk->depth--;
    const char *name = next_name(walk);
    int error = walk->walker->after ? walk->walker->after(walk->self, walk, name) : 0;
    if (error && round < MOST_ROUNDS) {
        walk->round = round + 1;
        return 0;
    }
    if (error) fail(walk, name, error);
    pop_name(walk);
    return 0;
}

static int begin(wi__walk *walk, const char *name) {
    identity start;
    struct statx status;
    int error = identify(walk->start, &start, &status) ? errno : push_level(walk, &start);
    if (!error && walk->walker->entry(walk->self, walk, name, DT_UNKNOWN))
        error = push_name(walk, name);
    return error;
}

int wi__walk_tree(int folder, const char *name, const wi__walker *walker, void *self) {
    wi__walk walk = {.walker = walker, .self = self, .start = folder, .folder = folder};
    int error = begin(&walk, name);
    while (!error && walk.used > 0)
        error = walk.used == walk.levels[walk.depth - 1].begin ? go_up(&walk) : go_down(&walk);
    stand_in(&walk, folder);
    free(walk.levels);
    free(walk.names);
    return error;
}
