/* Open descriptors, threads and resident memory, told by the kernel in a microsecond each. */
#include "manage/system_counters.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manage/kept.h"

/* ---- descriptors ---- */

/* A linux_dirent64: two numbers of 8 bytes, the length of the whole, a kind, and the name. */
enum { LENGTH_AT = 16, NAME_AT = 19 };

static void each_in(const char *bytes, long length, void (*each)(const char *, void *), void *arg) {
    unsigned short entry_length = 0;
    for (long at = 0; at < length; at += entry_length) {
        memcpy(&entry_length, bytes + at + LENGTH_AT, sizeof entry_length);
        if (bytes[at + NAME_AT] != '.') each(bytes + at + NAME_AT, arg);
    }
}

int wi__each_entry(int folder, void (*each)(const char *, void *), void *arg) {
    char bytes[8192];
    long length = -1;
    if (lseek(folder, 0, SEEK_SET) != 0) return 0;
    while ((length = syscall(SYS_getdents64, folder, bytes, sizeof bytes)) > 0)
        each_in(bytes, length, each, arg);
    return length == 0;
}

static void count_entry(const char *name, void *count) {
    (void)name;
    ++*(int64_t *)count;
}

int64_t wi__count_entries(int folder) {
    int64_t count = 0;
    return wi__each_entry(folder, count_entry, &count) ? count : WI__ABSENT;
}

/* Since Linux 6.2 the folder's size is the number of descriptors; before, it is 0. */
static int64_t read_descriptors(void) {
    static wi__kept folder = WI__KEPT("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    struct stat status;
    int fd = wi__kept_look(&folder, &status);
    if (fd < 0) return WI__ABSENT;
    return status.st_size > 0 ? status.st_size : wi__count_entries(fd);
}

const wi__counter wi__descriptor_counter = {
    .one = "descriptor",
    .many = "descriptors",
    .growth = WI__IS_LEAK,
    .least = 8,
    .read = read_descriptors,
    .limit = wi__limit_of_descriptors,
};

/* ---- threads ---- */

/* Each thread is a folder, and links to the one above; so do "." and the folder's own name. */
static int64_t read_threads(void) {
    static wi__kept folder = WI__KEPT("/proc/self/task", O_RDONLY | O_DIRECTORY);
    struct stat status;
    if (wi__kept_look(&folder, &status) < 0 || status.st_nlink < 3) return WI__ABSENT;
    return (int64_t)status.st_nlink - 2;
}

const wi__counter wi__thread_counter = {
    .one = "thread",
    .many = "threads",
    .growth = WI__IS_LEAK,
    .least = 8,
    .read = read_threads,
    .limit = wi__limit_of_threads,
};

/* ---- resident memory ---- */

static int64_t read_resident(void) {
    static wi__kept file = WI__KEPT("/proc/self/statm", O_RDONLY);
    static long page_bytes;
    char text[128], *rest, *end;
    if (!page_bytes) page_bytes = sysconf(_SC_PAGESIZE);
    if (!wi__kept_read(&file, text, sizeof text)) return WI__ABSENT;
    strtoll(text, &rest, 10);
    long long pages = strtoll(rest, &end, 10);
    return end > rest && pages > 0 ? pages * page_bytes : WI__ABSENT;
}

const wi__counter wi__memory_counter = {
    .one = "resident memory",
    .many = "resident memory",
    .is_bytes = 1,
    .growth = WI__IS_SUSPICION,
    .least = 1 << 20,
    .read = read_resident,
    .limit = wi__limit_of_memory,
};
