/* Looking beside a record for those of the same run. */
#include "cli/siblings.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "record/format.h"

/* "<name>.<digits>", and "<name>.<digits>.<digits>" for a pid that came twice */
static int is_sibling_name(const char *entry, const char *name) {
    size_t length = strlen(name);
    if (strncmp(entry, name, length) != 0 || entry[length] != '.') return 0;
    const char *rest = entry + length;
    return isdigit((unsigned char)rest[1]) && rest[strspn(rest, ".0123456789")] == '\0';
}

static int begins_after(int folder, const char *name, uint64_t since_ns) {
    wi__header header;
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return 0;
    ssize_t got = pread(file, &header, sizeof header, 0);
    close(file);
    return got == (ssize_t)sizeof header &&
           memcmp(header.magic, WI__MAGIC, sizeof header.magic) == 0 &&
           header.first.realtime_ns >= since_ns;
}

/* How many there are, and the path of one of them. */
static size_t find_siblings(const char *path, uint64_t since_ns, char *one, size_t size) {
    char folder_of[PATH_MAX], name_of[PATH_MAX];
    snprintf(folder_of, sizeof folder_of, "%s", path);
    snprintf(name_of, sizeof name_of, "%s", path);
    const char *folder_name = dirname(folder_of), *name = basename(name_of);
    DIR *folder = opendir(folder_name);
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!is_sibling_name(entry->d_name, name)) continue;
        if (!begins_after(dirfd(folder), entry->d_name, since_ns)) continue;
        if (count++ == 0)
            snprintf(one, size, "%.*s%s", (int)(strlen(path) - strlen(name)), path, entry->d_name);
    }
    if (folder) closedir(folder);
    return count;
}

void wi__print_siblings(FILE *out, const char *path, uint64_t since_ns) {
    char one[PATH_MAX];
    size_t count = find_siblings(path, since_ns, one, sizeof one);
    if (count == 1)
        fprintf(out, "\n1 more process of this run was measured: within report %s\n", one);
    if (count > 1)
        fprintf(out,
                "\n%zu more processes of this run were measured: within report %s, and likewise\n",
                count, one);
}
