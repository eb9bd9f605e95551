/* Which file a record goes into: whose it is now, and what may be done with it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/process.h"
#include "record/record.h"

typedef struct file_claim {
    char path[PATH_MAX]; /* absolute */
    int may_add_pid;
    wi__process runner; /* whose file it was */
    char *why;
    size_t size;
} file_claim;

static int fail(file_claim *claim, int error, const char *format, ...) WI__PRINTF(3, 4);
static int fail(file_claim *claim, int error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(claim->why, claim->size, format, arguments);
    va_end(arguments);
    errno = error;
    return -1;
}

static int create(file_claim *claim) {
    int file = open(claim->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return file < 0 ? fail(claim, errno, "%s", strerror(errno)) : file;
}

/* Another process of the run has the file: a sibling lies beside it. */
static int create_sibling(file_claim *claim) {
    size_t length = strlen(claim->path);
    for (int i = 0; i < 10; i++) {
        size_t room = sizeof claim->path - length;
        int added = i ? snprintf(claim->path + length, room, ".%d.%d", (int)getpid(), i)
                      : snprintf(claim->path + length, room, ".%d", (int)getpid());
        if ((size_t)added >= room) return fail(claim, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
        int file = create(claim);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* The first process of a run takes the file that `within run` has made for it. */
static int take_from_runner(int file) {
    wi__header *header = mmap(NULL, sizeof *header, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (header == MAP_FAILED) return 0;
    uint32_t nobody = 0;
    int taken = __atomic_compare_exchange_n(&header->owner.pid, &nobody, (uint32_t)getpid(), 0,
                                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    munmap(header, sizeof *header);
    return taken;
}

static int use_existing(file_claim *claim, int file, const wi__header *header) {
    int runs = wi__process_is_alive(&header->runner, header->boot_id);
    if (!header->owner.pid && runs && take_from_runner(file)) {
        claim->runner = header->runner;
        return file;
    }
    close(file);
    if (runs || wi__process_is_alive(&header->owner, header->boot_id)) {
        if (claim->may_add_pid) return create_sibling(claim);
        return fail(claim, EEXIST, "it is the record of process %u, which is running",
                    header->owner.pid ? header->owner.pid : header->runner.pid);
    }
    if (unlink(claim->path))
        return fail(claim, errno, "cannot replace the old record: %s", strerror(errno));
    return create(claim);
}

static int open_claimed(file_claim *claim) {
    int file = create(claim);
    if (file >= 0 || errno != EEXIST) return file;
    file = open(claim->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return fail(claim, errno, "%s", strerror(errno));
    wi__header header;
    ssize_t got = pread(file, &header, sizeof header, 0);
    if (got == sizeof header && memcmp(header.magic, WI__MAGIC, sizeof header.magic) == 0)
        return use_existing(claim, file, &header);
    close(file);
    return fail(claim, EEXIST, "the file is there and is no record: it is left as it is");
}

static int make_absolute(file_claim *claim, const char *path) {
    char folder[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        return fail(claim, errno, "%s", strerror(errno));
    int length =
        snprintf(claim->path, sizeof claim->path, "%s%s%s", folder, folder[0] ? "/" : "", path);
    if ((size_t)length < sizeof claim->path) return 0;
    return fail(claim, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
}

int wi__record_move_to_file(const char *path, int may_add_pid, char *why, size_t size) {
    file_claim claim = {.may_add_pid = may_add_pid, .why = why, .size = size};
    why[0] = '\0';
    if (make_absolute(&claim, path)) return errno;
    int file = open_claimed(&claim);
    if (file < 0) return errno;
    wi__header *header = wi__record_header();
    wi__process runner = header->runner;
    header->runner = claim.runner;
    int error = wi__arena_move_to_file(file, claim.path);
    close(file);
    if (!error) return 0;
    header->runner = runner;
    if (!claim.runner.pid) unlink(claim.path);
    snprintf(why, size, "%s", strerror(error));
    return error;
}
