/* Folding the kernel's peak into every open block, and resetting it. */
#include "manage/peak.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/counters.h"
#include "manage/durable.h"
#include "manage/kept.h"

/* Under the lock of the counters. */
static wi_memory *open_blocks;

static int64_t kilobytes(const char *status, const char *key) {
    const char *line = strstr(status, key);
    char *end;
    if (!line) return WI__ABSENT;
    const char *digits = line + strlen(key);
    long long value = strtoll(digits, &end, 10);
    return end > digits && value >= 0 ? value * 1024 : WI__ABSENT;
}

wi__resident_peak wi__resident_in(const char *status) {
    return (wi__resident_peak){kilobytes(status, "\nVmRSS:"), kilobytes(status, "\nVmHWM:")};
}

static wi__resident_peak read_peak(void) {
    static wi__kept file = WI__KEPT("/proc/self/status", O_RDONLY);
    char status[4096];
    wi__kept_read(&file, status, sizeof status);
    return wi__resident_in(status);
}

/* 0 if the system does not let it. */
static int reset_peak(void) {
    static wi__kept file = WI__KEPT("/proc/self/clear_refs", O_WRONLY);
    struct stat status;
    int fd = wi__kept_look(&file, &status);
    return fd >= 0 && wi__write_all(fd, "5", 1) == 0;
}

/* Where the peak could not be reset it is of the process's whole life, and says nothing of a block unless it rose in
 * it: then it is the block's own. */
static void fold(wi__resident_peak now) {
    for (wi_memory *block = open_blocks; block; block = block->next) {
        if (now.peak > block->known) block->peak_is_exact = 1;
        int64_t seen = block->peak_is_exact ? now.peak : now.resident;
        if (seen > block->highest) block->highest = seen;
    }
}

/* NULL if it is not in the list. */
static wi_memory **link_to(const wi_memory *memory) {
    for (wi_memory **link = &open_blocks; *link; link = &(*link)->next)
        if (*link == memory) return link;
    return NULL;
}

int64_t wi__peak_open(wi_memory *memory) {
    wi__counters_lock();
    wi__resident_peak now = read_peak();
    fold(now);
    memory->peak_is_exact = reset_peak();
    memory->highest = now.resident;
    memory->known = now.peak;
    memory->thread = pthread_self();
    memory->next = open_blocks;
    open_blocks = memory;
    wi__counters_unlock();
    return now.resident;
}

/* No need to reset: all that are open began before. */
int64_t wi__peak_close(wi_memory *memory) {
    wi__counters_lock();
    wi__resident_peak now = read_peak();
    fold(now);
    wi_memory **link = link_to(memory);
    if (link)
        *link = memory->next;
    else
        memory->highest = WI__ABSENT;
    wi__counters_unlock();
    return now.resident;
}

/* ---- forks ---- */

/* The memory of blocks that other threads have open will be used for other things in the child. */
static void forget_other_threads(void) {
    for (wi_memory **link = &open_blocks; *link;)
        if (pthread_equal((*link)->thread, pthread_self()))
            link = &(*link)->next;
        else
            *link = (*link)->next;
}

__attribute__((constructor)) static void notice_forks(void) {
    pthread_atfork(NULL, NULL, forget_other_threads);
}
