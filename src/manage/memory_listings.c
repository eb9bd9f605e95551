/* Listings of memory: what is mapped, and what the allocator of C says of itself. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "manage/listings.h"

static const char *const memory[] = {"resident memory", NULL};

/* ---- mappings ---- */

/* What is mapped, of a line "7f5c-7f5d rw-p 00000000 00:00 0    [heap]"; NULL of a line that tells more of it. */
static const char *mapped_in(char *line) {
    int at = 0;
    if (sscanf(line, "%*x-%*x %*s %*s %*s %*s %n", &at), !at) return NULL;
    line[strcspn(line, "\n")] = '\0';
    return line[at] ? line + at : "anonymous";
}

static int take_mappings(wi__inventory *inventory) {
    char line[4200], name[4200] = "";
    long long kilobytes;
    FILE *file = fopen("/proc/self/smaps", "re");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "Rss: %lld kB", &kilobytes) == 1) {
            wi__inventory_count(inventory, name, 0, 1024 * kilobytes);
            continue;
        }
        const char *mapped = mapped_in(line);
        if (mapped) snprintf(name, sizeof name, "%s", mapped);
    }
    fclose(file);
    return 1;
}

const wi__listing wi__mapping_listing = {
    .title = "mappings",
    .counters = memory,
    .take = take_mappings,
};

/* ---- allocator ---- */

#if defined __GLIBC__ && __GLIBC_PREREQ(2, 33)
static int take_allocator(wi__inventory *inventory) {
    struct mallinfo2 all = mallinfo2();
    wi__inventory_count(inventory, "in use", 0, (int64_t)(all.uordblks + all.hblkhd));
    wi__inventory_count(inventory, "free, not given back", 0, (int64_t)all.fordblks);
    return 1;
}
#else
static int take_allocator(wi__inventory *inventory) {
    (void)inventory;
    return 0;
}
#endif

const wi__listing wi__allocator_listing = {
    .title = "allocator",
    .counters = memory,
    .take = take_allocator,
};
