/* One stretch of address space for the record's cells, in memory or in a file. */
#include "record/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/complain.h"

char *wi__arena;

enum { FIRST_BYTES = 256 << 10, MOST_GROWTH = 4 << 20 };

static size_t reserved; /* bytes of address space */
static size_t backed;   /* bytes of it that can be used */
static struct {
    char *path; /* NULL: private memory */
    dev_t device;
    ino_t inode;
    int deleted; /* and that was said */
    int may_go;  /* atomic: nobody asked for it */
} file_under;

static const size_t reserve_sizes[] = {1u << 30, 256u << 20, 64u << 20, 16u << 20, 1u << 20};

static int back_with_memory(size_t from, size_t to) {
    void *got = mmap(wi__arena + from, to - from, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return got != MAP_FAILED;
}

int wi__arena_create(void) {
    for (size_t i = 0; i < sizeof reserve_sizes / sizeof *reserve_sizes; i++) {
        reserved = reserve_sizes[i];
        void *space =
            mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (space == MAP_FAILED) continue;
        wi__arena = space;
        backed = FIRST_BYTES;
        if (!back_with_memory(0, backed)) {
            munmap(space, reserved);
            wi__arena = NULL;
            return 0;
        }
        wi__record_header()->used_cells = WI__HEADER_CELLS;
        return 1;
    }
    return 0;
}

/* Space for good, or an error now: a sparse file would be a SIGBUS later. A file size limit would send
 * SIGXFSZ, which ends the program: hold it back and take it away. Other signals would interrupt it. */
static int reserve_in_file(int file, size_t from, size_t to) {
    sigset_t all, limit, before;
    sigfillset(&all);
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = posix_fallocate(file, (off_t)from, (off_t)(to - from));
    if (error == EFBIG) sigtimedwait(&limit, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static int map_file(int file, size_t from, size_t to) {
    void *got = mmap(wi__arena + from, to - from, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                     file, (off_t)from);
    return got == MAP_FAILED ? errno : 0;
}

static int is_the_file(const struct stat *status) {
    return status->st_dev == file_under.device && status->st_ino == file_under.inode;
}

/* No descriptor is kept: programs close those that they do not know, and reuse the numbers. */
static int grow_file(size_t to) {
    int file = open(file_under.path, O_RDWR | O_CLOEXEC);
    if (file < 0) return errno;
    struct stat status;
    int error = fstat(file, &status) ? errno : is_the_file(&status) ? 0 : ESTALE;
    if (!error) error = reserve_in_file(file, backed, to);
    if (!error) error = map_file(file, backed, to);
    close(file);
    return error;
}

static void say_deleted(void) {
    file_under.deleted = 1;
    if (__atomic_load_n(&file_under.may_go, __ATOMIC_RELAXED)) return;
    wi__complain("record %s was deleted while the program ran: what it held is lost",
                 file_under.path);
}

/* From now on growth goes into private memory. */
static void lose_file(int error) {
    wi__record_header()->file_cells = wi__record_header()->used_cells;
    if (error == ENOENT || error == ESTALE)
        say_deleted();
    else
        wi__complain(
            "record %s: %s; sections that are new from now on are measured in memory only, and are "
            "not in the record",
            file_under.path, strerror(error));
}

static int grow(size_t least) {
    size_t step = backed < MOST_GROWTH ? backed : MOST_GROWTH;
    size_t to = backed + (least > step ? (least + step - 1) / step * step : step);
    if (to > reserved) return 0;
    wi__header *header = wi__record_header();
    if (file_under.path && !header->file_cells) {
        int error = grow_file(to);
        if (error) lose_file(error);
    }
    if (!file_under.path || header->file_cells)
        if (!back_with_memory(backed, to)) return 0;
    backed = to;
    return 1;
}

uint32_t wi__arena_allocate(uint32_t cells) {
    wi__header *header = wi__record_header();
    size_t end = ((size_t)header->used_cells + cells) * WI__CELL_BYTES;
    if (end > backed && !grow(end - backed)) return 0;
    uint32_t first = header->used_cells;
    __atomic_store_n(&header->used_cells, first + cells, __ATOMIC_RELEASE);
    return first;
}

static int write_all(int file, const char *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t written = pwrite(file, bytes + done, size - done, (off_t)done);
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) done += (size_t)written;
    }
    return 0;
}

int wi__arena_move_to_file(int file, const char *path) {
    struct stat status;
    char *kept = strdup(path);
    int error = !kept ? ENOMEM : fstat(file, &status) ? errno : 0;
    if (!error) error = reserve_in_file(file, 0, backed);
    if (!error)
        error =
            write_all(file, wi__arena, (size_t)wi__record_header()->used_cells * WI__CELL_BYTES);
    if (!error) error = map_file(file, 0, backed);
    if (error) {
        free(kept);
        return error;
    }
    file_under.path = kept;
    file_under.device = status.st_dev;
    file_under.inode = status.st_ino;
    file_under.deleted = 0;
    return 0;
}

int wi__arena_leave_file(uint32_t cells) {
    if (!file_under.path) return 1;
    free(file_under.path);
    file_under.path = NULL;
    void *copy = mmap(NULL, backed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) return 0;
    memcpy(copy, wi__arena, (size_t)cells * WI__CELL_BYTES);
    ((wi__header *)copy)->used_cells = cells;
    if (mremap(copy, backed, backed, MREMAP_MAYMOVE | MREMAP_FIXED, wi__arena) != MAP_FAILED)
        return 1;
    munmap(copy, backed);
    return 0;
}

const char *wi__arena_path(void) { return file_under.path; }

void wi__arena_file_may_go(void) { __atomic_store_n(&file_under.may_go, 1, __ATOMIC_RELAXED); }

void wi__arena_check_file(void) {
    struct stat status;
    if (!file_under.path || file_under.deleted) return;
    if (stat(file_under.path, &status) || !is_the_file(&status)) say_deleted();
}
