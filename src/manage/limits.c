/* The walls that a leak runs into: limits of the process, of its control groups, and of the machine. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "manage/system_counters.h"

static int64_t lesser(int64_t a, int64_t b) {
    if (a == WI__ABSENT || b == WI__ABSENT) return a == WI__ABSENT ? b : a;
    return a < b ? a : b;
}

static int64_t limit_of_process(int resource) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return WI__ABSENT;
    return (int64_t)limit.rlim_cur;
}

/* The number in a file; WI__ABSENT if there is none, as in "max". No group that sets a limit sets one of 2^60. */
static int64_t number_in(const char *path) {
    enum { NO_LIMIT_BITS = 60 };
    long long number = -1;
    FILE *file = fopen(path, "re");
    if (!file) return WI__ABSENT;
    int found = fscanf(file, "%lld", &number);
    fclose(file);
    return found == 1 && number >= 0 && number >> NO_LIMIT_BITS == 0 ? number : WI__ABSENT;
}

/* ---- control groups ---- */

/* A group is bound by those above it as well. */
static int64_t limit_upwards(const char *root, char *group, const char *name) {
    int64_t least = WI__ABSENT;
    char path[PATH_MAX];
    for (;;) {
        int length = snprintf(path, sizeof path, "%s%s/%s", root, group, name);
        if (length > 0 && (size_t)length < sizeof path) least = lesser(least, number_in(path));
        char *slash = strrchr(group, '/');
        if (!slash) return least;
        *slash = '\0';
    }
}

/* Is a controller among "cpu,cpuacct"? */
static int has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = words; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0')) return 1;
    return 0;
}

/* A line of /proc/self/cgroup: "4:memory:/jobs/7" of version 1, "0::/jobs/7" of version 2. Inside a container the
 * group's path may be one that its mount does not have: the mount's top is asked in any case. */
static int64_t limit_of_line(const char *mount, char *line, const char *controller) {
    static const char *const names[][3] = {{"memory", "memory.max", "memory.limit_in_bytes"},
                                           {"pids", "pids.max", "pids.max"}};
    const char *const *name = strcmp(controller, "pids") == 0 ? names[1] : names[0];
    char root[PATH_MAX], *words = strchr(line, ':'), *group = words ? strchr(words + 1, ':') : NULL;
    if (!group) return WI__ABSENT;
    *words++ = *group++ = '\0';
    if (strcmp(group, "/") == 0) group = line + strlen(line);
    int is_second = !*words;
    if (!is_second && !has_word(words, controller)) return WI__ABSENT;
    int length = is_second ? snprintf(root, sizeof root, "%s", mount)
                           : snprintf(root, sizeof root, "%s/%s", mount, words);
    if (length < 0 || (size_t)length >= sizeof root) return WI__ABSENT;
    return limit_upwards(root, group, is_second ? name[1] : name[2]);
}

int64_t wi__limit_of_cgroups(const char *mount, const char *cgroups, const char *controller) {
    int64_t least = WI__ABSENT;
    char line[PATH_MAX];
    FILE *file = fopen(cgroups, "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        least = lesser(least, limit_of_line(mount, line, controller));
    }
    if (file) fclose(file);
    return least;
}

static int64_t limit_here(const char *controller) {
    return wi__limit_of_cgroups("/sys/fs/cgroup", "/proc/self/cgroup", controller);
}

/* ---- the walls ---- */

int64_t wi__limit_of_descriptors(void) { return limit_of_process(RLIMIT_NOFILE); }

int64_t wi__limit_of_threads(void) {
    int64_t kernel = number_in("/proc/sys/kernel/threads-max");
    return lesser(lesser(limit_of_process(RLIMIT_NPROC), limit_here("pids")), kernel);
}

int64_t wi__limit_of_memory(void) {
    int64_t pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    int64_t machine = pages > 0 && page_bytes > 0 ? pages * page_bytes : WI__ABSENT;
    return lesser(machine, limit_here("memory"));
}
