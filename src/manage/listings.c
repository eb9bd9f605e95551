/* Listings of the system: which there are, and what open descriptors and threads are called. */
#include "manage/listings.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/system_counters.h"

/* ---- which there are ---- */

/* Mappings first: see wi__inventory_begin. */
static const wi__listing *table[WI__LISTINGS] = {
    &wi__mapping_listing, &wi__allocator_listing, &wi__descriptor_listing,
    &wi__thread_listing,  &wi__hdf5_listing,
};

void wi__listing_add(const wi__listing *listing) {
    wi__counters_lock();
    int place = 0;
    while (place < WI__LISTINGS && table[place] && strcmp(table[place]->title, listing->title) != 0)
        place++;
    if (place < WI__LISTINGS) __atomic_store_n(&table[place], listing, __ATOMIC_RELEASE);
    wi__counters_unlock();
}

const wi__listing *wi__listing_at(int place) {
    return __atomic_load_n(&table[place], __ATOMIC_ACQUIRE);
}

int wi__listing_explains(const wi__listing *listing, const wi__counter *counter) {
    for (const char *const *name = listing->counters; *name; name++)
        if (strcmp(*name, counter->many) == 0) return 1;
    return 0;
}

/* ---- descriptors ---- */

/* "socket:[8123]" is a socket, "anon_inode:[eventpoll]" an eventpoll; files below the current folder are named from there. */
static const char *descriptor_name(char *target, const char *here) {
    static const char anonymous[] = "anon_inode:";
    size_t length = strlen(here);
    if (strncmp(target, anonymous, sizeof anonymous - 1) == 0) {
        target += sizeof anonymous - 1;
        size_t end = strlen(target);
        if (*target != '[' || target[end - 1] != ']') return target;
        target[end - 1] = '\0';
        return target + 1;
    }
    if (*target != '/') {
        target[strcspn(target, ":")] = '\0';
        return target;
    }
    if (length > 1 && strncmp(target, here, length) == 0 && target[length] == '/')
        return target + length + 1;
    return target;
}

typedef struct in_folder {
    wi__inventory *inventory;
    int folder;
    char here[PATH_MAX]; /* the current folder; "" if it has none */
    char own[64];        /* the process's name, and that of threads without a name of their own */
} in_folder;

static void count_descriptor(const char *entry, void *arg) {
    in_folder *in = arg;
    char target[PATH_MAX];
    ssize_t length = readlinkat(in->folder, entry, target, sizeof target - 1);
    if (length <= 0 || atoi(entry) == in->folder) return;
    target[length] = '\0';
    wi__inventory_count(in->inventory, descriptor_name(target, in->here), 1, 0);
}

static int take_folder(wi__inventory *inventory, const char *path,
                       void (*count)(const char *, void *)) {
    in_folder in = {.inventory = inventory,
                    .folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (in.folder < 0) return 0;
    if (!getcwd(in.here, sizeof in.here)) in.here[0] = '\0';
    int is_read = wi__each_entry(in.folder, count, &in);
    close(in.folder);
    return is_read;
}

static int take_descriptors(wi__inventory *inventory) {
    return take_folder(inventory, "/proc/self/fd", count_descriptor);
}

const wi__listing wi__descriptor_listing = {
    .title = "descriptors",
    .counters = (const char *const[]){"descriptors", NULL},
    .take = take_descriptors,
};

/* ---- threads ---- */

/* The line in a file of an open folder; "" if there is none. */
static void read_line(int folder, const char *path, char *line, size_t size) {
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, line, size - 1);
    if (file >= 0) close(file);
    line[length > 0 ? length : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* One that has ended meanwhile has no name. Those that nobody named have the process's, "python3.11". */
static void count_thread(const char *entry, void *arg) {
    in_folder *in = arg;
    char path[64], name[64];
    if (!*in->own) read_line(AT_FDCWD, "/proc/self/comm", in->own, sizeof in->own);
    snprintf(path, sizeof path, "%.20s/comm", entry);
    read_line(in->folder, path, name, sizeof name);
    if (strcmp(name, in->own) == 0)
        wi__inventory_count(in->inventory, name, 1, 0);
    else if (*name)
        wi__inventory_count_alike(in->inventory, name);
}

static int take_threads(wi__inventory *inventory) {
    return take_folder(inventory, "/proc/self/task", count_thread);
}

const wi__listing wi__thread_listing = {
    .title = "threads",
    .counters = (const char *const[]){"threads", NULL},
    .take = take_threads,
};
