/* The process's record in the live folders of its runs. */
#include "runs/process_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <within/record.h>

#include "manage/durable.h"
#include "manage/remove_tree.h"
#include "record/arena.h"

static const char stem[] = "record";

/* ---- putting it there ---- */

static char own_folder[PATH_MAX]; /* empty: the record is elsewhere, or in memory */
static pid_t own_pid;

static void remove_folder(const char *path) {
    wi__removal removal;
    const char *slash = strrchr(path, '/');
    char root[PATH_MAX];
    snprintf(root, sizeof root, "%.*s", (int)(slash - path), path);
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    wi__remove_tree(folder, slash + 1, 0, &removal);
    close(folder);
    rmdir(root);
}

__attribute__((destructor)) static void remove_own_folder(void) {
    if (own_folder[0] && own_pid == getpid()) remove_folder(own_folder);
}

static void open_record(void *path) { wi_record_open(path); }

/* The child's record would be beside its parent's: a folder holds them all. */
static void move_record_beside(const wi__live *live) {
    char name[NAME_MAX + 1], folder[PATH_MAX], path[PATH_MAX];
    wi_error *error = NULL;
    int root = (int)(strrchr(live->path, '/') - live->path);
    wi__owned_name(stem, name);
    int length = snprintf(folder, sizeof folder, "%.*s/%s", root, live->path, name);
    if (length + 8 > PATH_MAX || mkdir(folder, 0777) != 0) return;
    snprintf(path, sizeof path, "%.*s/record", PATH_MAX - 8, folder);
    if (wi_call(open_record, path, &error)) {
        wi__arena_file_may_go();
        own_pid = getpid();
        snprintf(own_folder, sizeof own_folder, "%s", folder);
        return;
    }
    wi_error_free(error);
    rmdir(folder);
}

static void write_path(int folder, const char *path) {
    int file = openat(folder, "record", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return;
    wi__write_all(file, path, strlen(path));
    close(file);
}

void wi__process_record_put(const wi__live *live) {
    if (!wi_record_path()) move_record_beside(live);
    const char *path = wi_record_path();
    if (path && linkat(AT_FDCWD, path, live->folder, "record", 0) != 0)
        write_path(live->folder, path);
}

void wi__process_record_copy(const wi__live *live, const wi__profile *profile) {
    const char *path = wi_record_path();
    if (!path || profile->path_count < 2) return;
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = openat(live->folder, "begin", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    size_t left = (size_t)profile->header.used_cells * WI__CELL_BYTES;
    while (from >= 0 && to >= 0 && left > 0) {
        ssize_t copied = copy_file_range(from, NULL, to, NULL, left, 0);
        if (copied <= 0) break;
        left -= (size_t)copied;
    }
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    if (left > 0) unlinkat(live->folder, "begin", 0);
}

/* ---- reading it ---- */

static int read_file_in(int folder, const char *name, wi__profile *profile) {
    char why[256];
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return 0;
    int is_read = wi__profile_read_file(file, profile, why, sizeof why);
    close(file);
    return is_read;
}

static int read_by_path(int folder, wi__profile *profile) {
    char path[PATH_MAX] = "", why[256];
    int file = openat(folder, "record", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, path, sizeof path - 1);
    close(file);
    return length > 0 && path[0] == '/' && wi__profile_read(path, profile, why, sizeof why);
}

static int is_of(const wi__profile *profile, const char *owner) {
    char text[WI__OWNER_TEXT];
    const wi__process *process = &profile->header.owner;
    snprintf(text, sizeof text, "%u-%llu-%.8s-", process->pid, (unsigned long long)process->start,
             profile->header.boot_id);
    return strncmp(text, owner, strlen(text)) == 0;
}

int wi__process_record_read(int folder, const char *owner, wi__profile *profile) {
    if (!read_file_in(folder, "record", profile) && !read_by_path(folder, profile)) return 0;
    if (is_of(profile, owner)) return 1;
    wi__profile_release(profile);
    return 0;
}

int wi__process_record_read_copy(int folder, wi__profile *profile) {
    return read_file_in(folder, "begin", profile);
}

/* ---- what was open ---- */

static const char *last_part_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The same database can be reached by several paths. */
static int is_of_this_library(const wi__open_scope *scope, const char *database) {
    int is_of_database = !strcmp(scope->kind, "database") || !strcmp(scope->kind, "transaction");
    return is_of_database && strcmp(last_part_of(scope->what), last_part_of(database)) == 0;
}

static void print_scope(FILE *text, const wi__profile *profile, const wi__open_scope *scope) {
    char path[1024];
    if (scope->path != WI__NO_PATH) wi__path_text(profile, scope->path, path, sizeof path);
    fprintf(text, "%s %s", scope->kind, scope->path != WI__NO_PATH ? path : scope->what);
    if (scope->count > 1) fprintf(text, " (%u of them)", scope->count);
}

char *wi__process_record_doing(const wi__profile *profile, const char *database) {
    enum { MOST = 100 };
    char *text = NULL;
    size_t size = 0, shown = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return NULL;
    for (size_t i = 0; i < profile->open_count && shown < MOST; i++) {
        if (is_of_this_library(&profile->open[i], database)) continue;
        if (shown++) fputc('\n', stream);
        print_scope(stream, profile, &profile->open[i]);
    }
    if (fclose(stream) == 0 && shown) return text;
    free(text);
    return NULL;
}

/* ---- sweeping ---- */

void wi__process_record_sweep(const char *root) {
    wi__owner owner;
    wi__removal removal;
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = folder >= 0 ? fdopendir(folder) : NULL;
    if (!stream && folder >= 0) close(folder);
    for (struct dirent *each; stream && (each = readdir(stream));)
        if (wi__owner_of_name(each->d_name, &owner) && wi__owner_state_of(&owner) == WI__OWNER_DEAD)
            wi__remove_tree(folder, each->d_name, 0, &removal);
    if (stream) closedir(stream);
    rmdir(root);
}
