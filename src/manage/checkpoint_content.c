/* The files and folders of a checkpoint, read by a walk that follows no link. */
#include "manage/checkpoint_content.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/crc32c.h"
#include "manage/durable.h"
#include "manage/walk.h"

enum { AT_ONCE = 256 * 1024 }; /* bytes a read: they stay in the cache until they are summed */

typedef struct survey {
    wi__content *content;
    int how;
    unsigned char *buffer; /* AT_ONCE bytes, if files are to be summed */
    wi__failure *failure;
    int has_failed; /* the walk itself goes on */
} survey;

/* ---- parts ---- */

int wi__content_add(wi__content *content, const wi__part *part) {
    if (content->count == content->room) {
        size_t room = content->room ? 2 * content->room : 16;
        wi__part *parts = realloc(content->parts, room * sizeof *parts);
        if (!parts) return -1;
        content->parts = parts;
        content->room = room;
    }
    wi__part *added = &content->parts[content->count];
    *added = *part;
    added->path = strdup(part->path);
    if (!added->path) return -1;
    content->count++;
    return 0;
}

void wi__content_release(wi__content *content) {
    for (size_t i = 0; i < content->count; i++) free(content->parts[i].path);
    free(content->parts);
    *content = (wi__content){.parts = NULL};
}

/* What it is called in what is said. */
static const char *called(const wi__part *part) {
    return strcmp(part->path, ".") == 0 ? "it" : part->path;
}

static int by_path(const void *one, const void *other) {
    return strcmp(((const wi__part *)one)->path, ((const wi__part *)other)->path);
}

/* ---- reading ---- */

static int sum(survey *s, int file, wi__part *part) {
    for (;;) {
        ssize_t n = read(file, s->buffer, AT_ONCE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return wi__fail_errno(s->failure, errno, "%s cannot be read", called(part));
        if (n == 0) return 0;
        part->crc = wi__crc32c(part->crc, s->buffer, (size_t)n);
        part->size += (uint64_t)n;
    }
}

static int sync_part(const survey *s, int fd, const wi__part *part) {
    int error = wi__sync(fd);
    if (!error || (part->is_folder && error == EINVAL)) return 0; /* some can't sync folders */
    return wi__fail_errno(s->failure, error, "%s could not be written to the disk", called(part));
}

/* What was a file when it was looked at may be a link or a pipe now: neither is waited for. */
static int open_part(const survey *s, int folder, const char *name, const wi__part *part) {
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, fd;
    if (part->is_folder) flags |= O_DIRECTORY;
    do fd = openat(folder, name, flags);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) wi__fail_errno(s->failure, errno, "%s cannot be opened", called(part));
    return fd;
}

static int read_part(survey *s, int fd, wi__part *part) {
    if (!part->is_folder && s->how & WI__SUM) {
        part->size = 0;
        if (sum(s, fd, part)) return -1;
    }
    return s->how & WI__SYNC ? sync_part(s, fd, part) : 0;
}

static int add_part(survey *s, int folder, const char *name, wi__part *part) {
    if (s->how & (part->is_folder ? WI__SYNC : WI__SYNC | WI__SUM)) {
        int fd = open_part(s, folder, name, part), failed;
        if (fd < 0) return -1;
        failed = read_part(s, fd, part);
        wi__close(fd);
        if (failed) return -1;
    }
    return wi__content_add(s->content, part) ? wi__fail(s->failure, WI_MEMORY_ERROR, "no memory")
                                             : 0;
}

static int look(const survey *s, int folder, const char *name, wi__part *part) {
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return wi__fail(s->failure, WI_DATA_ERROR, "%s is missing", called(part));
        return wi__fail_errno(s->failure, errno, "%s cannot be looked at", called(part));
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return wi__fail(s->failure, WI_VALUE_ERROR, "%s is %s; only files and folders can be saved",
                        called(part),
                        S_ISLNK(status.st_mode) ? "a symbolic link" : "a special file");
    part->is_folder = S_ISDIR(status.st_mode);
    part->size = part->is_folder ? 0 : (uint64_t)status.st_size;
    return 0;
}

/* ---- the walk ---- */

/* The walk begins paths with the name itself. @return the path from there on, in `whole`; NULL: too long */
static const char *find_path(const survey *s, const wi__walk *walk, const char *name,
                             char whole[PATH_MAX]) {
    wi__walk_path(walk, name, whole, PATH_MAX);
    const char *slash = strchr(whole, '/');
    if (!slash) return ".";
    if (strlen(whole) < PATH_MAX - sizeof "…") return slash + 1;
    wi__fail_errno(s->failure, ENAMETOOLONG, "%s", slash + 1);
    return NULL;
}

static int see_part(survey *s, const wi__walk *walk, const char *name, int *is_folder) {
    char whole[PATH_MAX];
    wi__part part = {.path = (char *)find_path(s, walk, name, whole)};
    int folder = wi__walk_folder(walk);
    if (!part.path || look(s, folder, name, &part)) return -1;
    *is_folder = part.is_folder;
    return add_part(s, folder, name, &part);
}

static int see_entry(void *self, const wi__walk *walk, const char *name, unsigned char type) {
    (void)type;
    survey *s = self;
    int is_folder = 0;
    if (!s->has_failed) s->has_failed = see_part(s, walk, name, &is_folder);
    return !s->has_failed && is_folder;
}

static void see_failure(void *self, const wi__walk *walk, const char *name, int error) {
    survey *s = self;
    char path[PATH_MAX];
    if (s->has_failed) return;
    wi__walk_path(walk, name, path, sizeof path);
    wi__fail_errno(s->failure, error, "%s cannot be read", path);
    s->has_failed = 1;
}

static const wi__walker walker = {.entry = see_entry, .failed = see_failure};

static int walk_all(survey *s, int folder, const char *name) {
    int error = wi__walk_tree(folder, name, &walker, s);
    if (s->has_failed) return -1;
    if (error) return wi__fail_errno(s->failure, error, "%s cannot be read", name);
    qsort(s->content->parts, s->content->count, sizeof *s->content->parts, by_path);
    return 0;
}

int wi__content_read(wi__content *content, int folder, const char *name, int how,
                     wi__failure *failure) {
    survey s = {.content = content, .how = how, .failure = failure};
    *content = (wi__content){.parts = NULL};
    if (how & WI__SUM) s.buffer = malloc(AT_ONCE);
    if (how & WI__SUM && !s.buffer) return wi__fail(failure, WI_MEMORY_ERROR, "no memory");
    int failed = walk_all(&s, folder, name);
    free(s.buffer);
    return failed;
}

/* ---- comparing ---- */

static int compare_parts(const wi__part *saved, const wi__part *found, int with_sums,
                         wi__failure *failure) {
    if (saved->is_folder != found->is_folder)
        return wi__fail(failure, WI_DATA_ERROR, "%s is a %s now", called(saved),
                        found->is_folder ? "folder" : "file");
    if (saved->size != found->size)
        return wi__fail(failure, WI_DATA_ERROR, "%s has %" PRIu64 " bytes, not %" PRIu64,
                        called(saved), found->size, saved->size);
    if (with_sums && saved->crc != found->crc)
        return wi__fail(failure, WI_DATA_ERROR,
                        "%s has changed: its CRC32C is %08" PRIx32 ", not %08" PRIx32,
                        called(saved), found->crc, saved->crc);
    return 0;
}

int wi__content_compare(const wi__content *saved, const wi__content *found, int with_sums,
                        wi__failure *failure) {
    size_t i = 0;
    for (; i < saved->count && i < found->count; i++) {
        const wi__part *one = &saved->parts[i], *other = &found->parts[i];
        if (by_path(one, other) != 0) break;
        if (compare_parts(one, other, with_sums, failure)) return -1;
    }
    if (i < saved->count && (i == found->count || by_path(&saved->parts[i], &found->parts[i]) < 0))
        return wi__fail(failure, WI_DATA_ERROR, "%s is missing", called(&saved->parts[i]));
    if (i < found->count)
        return wi__fail(failure, WI_DATA_ERROR, "%s is there, but was not saved",
                        called(&found->parts[i]));
    return 0;
}
