/* Making a record file for a program that is about to start. */
#include "cli/fresh_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/newest.h"
#include "record/clock.h"
#include "record/process.h"
#include "record/record.h"

/* ---- its path ---- */

static void default_path(wi__fresh_record *record, const char *program) {
    char when[32];
    time_t now = time(NULL);
    struct tm parts;
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    if (!localtime_r(&now, &parts) || !strftime(when, sizeof when, "%Y%m%d-%H%M%S", &parts))
        when[0] = '\0';
    snprintf(record->shown, sizeof record->shown,
             WI__RECORD_FOLDER "/%.100s-%s-%d" WI__RECORD_SUFFIX, name, when, (int)getpid());
}

/* @return 0 or an errno value */
static int make_absolute(wi__fresh_record *record) {
    char folder[PATH_MAX] = "";
    int relative = record->shown[0] != '/';
    if (relative && !getcwd(folder, sizeof folder)) return errno;
    int length = snprintf(record->path, sizeof record->path, "%s%s%s", folder, relative ? "/" : "",
                          record->shown);
    return (size_t)length < sizeof record->path ? 0 : ENAMETOOLONG;
}

static int is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The folder, not those above it: a name mistyped should not become a tree. @return 0 or an errno value */
static int make_folder(wi__fresh_record *record) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", record->path);
    *strrchr(folder, '/') = '\0';
    if (!folder[0] || is_folder(folder)) return 0;
    if (mkdir(folder, 0777)) return errno == EEXIST ? ENOTDIR : errno;
    record->made_folder = 1;
    return 0;
}

/* ---- what is there ---- */

static wi__made refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static wi__made refuse(char *why, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return WI__REFUSED;
}

/* May what is at the path be replaced? Only a record whose processes have all ended. */
static wi__made look_at(const char *path, char *why, size_t size) {
    wi__header header;
    struct stat status = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return refuse(why, size, "%s", strerror(errno));
    ssize_t got = fstat(file, &status) == 0 && S_ISREG(status.st_mode)
                      ? pread(file, &header, sizeof header, 0)
                      : 0;
    close(file);
    if (S_ISDIR(status.st_mode)) return refuse(why, size, "it is a directory");
    if (got != (ssize_t)sizeof header || memcmp(header.magic, WI__MAGIC, sizeof header.magic) != 0)
        return refuse(why, size, "the file is there and is no record: it is left as it is");
    if (header.version != WI__VERSION)
        return refuse(why, size, "the file is a record of another version: it is left as it is");
    header.boot_id[sizeof header.boot_id - 1] = '\0';
    const wi__process *processes[] = {&header.owner, &header.runner};
    for (int i = 0; i < 2; i++)
        if (wi__process_is_alive(processes[i], header.boot_id))
            return refuse(why, size, "it is the record of process %u, which is running",
                          processes[i]->pid);
    return WI__MADE;
}

/* Until the program runs, the old record waits beside its place. */
static wi__made put_aside(wi__fresh_record *record, char *why, size_t size) {
    struct stat status;
    if (lstat(record->path, &status) && errno == ENOENT) return WI__MADE;
    wi__made verdict = look_at(record->path, why, size);
    if (verdict != WI__MADE) return verdict;
    int length = snprintf(record->replaced, sizeof record->replaced, "%s.%d.old", record->path,
                          (int)getpid());
    if ((size_t)length < sizeof record->replaced && rename(record->path, record->replaced) == 0)
        return WI__MADE;
    snprintf(why, size, "cannot replace the old record: %s", strerror(errno));
    record->replaced[0] = '\0';
    return WI__NOT_MADE;
}

/* ---- the file ---- */

static void join(char *buffer, size_t size, char **words) {
    size_t used = 0;
    for (buffer[0] = '\0'; *words && used < size - 1; words++) {
        int added = snprintf(buffer + used, size - used, "%s%s", used ? " " : "", *words);
        used += added > 0 ? (size_t)added : 0;
    }
}

/* A header that waits for the first process that measures. @return 0 or an errno value */
static int write_header(const wi__fresh_record *record, char **words) {
    size_t size = (size_t)WI__HEADER_CELLS * WI__CELL_BYTES;
    wi__header *header = calloc(1, size);
    if (!header) return ENOMEM;
    wi__clock_choose();
    wi__header_begin(header);
    header->runner = wi__process_self();
    header->used_cells = WI__HEADER_CELLS;
    join(header->command, sizeof header->command, words);
    errno = 0;
    ssize_t written = pwrite(record->file, header, size, 0);
    int error = written == (ssize_t)size ? 0 : errno ? errno : ENOSPC;
    free(header);
    return error;
}

static int create(wi__fresh_record *record, char **words) {
    record->file = open(record->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return record->file < 0 ? errno : write_header(record, words);
}

wi__made wi__fresh_record_make(wi__fresh_record *record, const char *wish, char **words, char *why,
                               size_t size) {
    struct timespec now;
    *record = (wi__fresh_record){.file = -1, .is_wish = wish != NULL};
    clock_gettime(CLOCK_REALTIME, &now);
    record->begin_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (wish)
        snprintf(record->shown, sizeof record->shown, "%s", wish);
    else
        default_path(record, words[0]);
    int error = wish && strlen(wish) >= sizeof record->shown ? ENAMETOOLONG : make_absolute(record);
    if (!error) error = make_folder(record);
    wi__made made = error ? WI__NOT_MADE : put_aside(record, why, size);
    if (made == WI__MADE) error = create(record, words);
    if (error) snprintf(why, size, "%s", strerror(error));
    if (made == WI__MADE && !error) return WI__MADE;
    wi__fresh_record_discard(record);
    return made == WI__REFUSED ? made : WI__NOT_MADE;
}

/* ---- its end ---- */

void wi__fresh_record_keep(wi__fresh_record *record) {
    if (record->replaced[0]) unlink(record->replaced);
    record->replaced[0] = '\0';
}

void wi__fresh_record_discard(wi__fresh_record *record) {
    if (record->file >= 0) unlink(record->path);
    if (record->replaced[0]) rename(record->replaced, record->path);
    record->replaced[0] = '\0';
    if (record->made_folder) {
        *strrchr(record->path, '/') = '\0';
        rmdir(record->path);
    }
    wi__fresh_record_close(record);
}

void wi__fresh_record_close(wi__fresh_record *record) {
    if (record->file >= 0) close(record->file);
    record->file = -1;
}

static int write_at(const wi__fresh_record *record, size_t offset, const void *value, size_t size) {
    return pwrite(record->file, value, size, (off_t)offset) == (ssize_t)size;
}

/* A process that was killed left its last sign of life up to a second ago: what is open was open until now. */
static void write_last_anchor(const wi__fresh_record *record, const wi__header *header) {
    wi__anchor now = wi__clock_anchor_of(header->clock);
    uint32_t even = (header->anchor_seq | 1) + 1;
    if (write_at(record, offsetof(wi__header, last), &now, sizeof now))
        write_at(record, offsetof(wi__header, anchor_seq), &even, sizeof even);
}

/* First the status, then the word that it is there. Nobody else writes these fields. */
void wi__fresh_record_end(const wi__fresh_record *record, uint32_t pid, int wait_status,
                          const wi__grace_note *grace) {
    wi__header header;
    uint32_t there = 1;
    if (pread(record->file, &header, sizeof header, 0) != (ssize_t)sizeof header) return;
    if (header.owner.pid != pid) return;
    if (!header.ended) write_last_anchor(record, &header);
    write_at(record, offsetof(wi__header, grace), grace, sizeof *grace);
    if (write_at(record, offsetof(wi__header, wait_status), &wait_status, sizeof wait_status))
        write_at(record, offsetof(wi__header, has_wait_status), &there, sizeof there);
}

int wi__fresh_record_is_there(const wi__fresh_record *record) {
    struct stat here, there;
    return fstat(record->file, &here) == 0 && stat(record->path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}
