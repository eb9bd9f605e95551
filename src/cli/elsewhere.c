/* Finding the executables that have the other commands, and becoming one. */
#include "cli/elsewhere.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const wi__elsewhere *wi__elsewhere_named(const char *name) {
    for (const wi__elsewhere *at = wi__elsewhere_commands; at->name; at++)
        if (strcmp(at->name, name) == 0) return at;
    return NULL;
}

/* The folder of this executable, wherever it was moved to; "" if it cannot be told. */
static void own_folder(char *folder, size_t size) {
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
}

/* Beside this executable, in the libexec of where that lies now, or where it was installed. */
static int find(const char *program, char *path, size_t size) {
    char own[PATH_MAX];
    own_folder(own, sizeof own);
    const char *const places[][2] = {{own, ""}, {own, "/../libexec/within"}, {WI__LIBEXEC, ""}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, size, "%s%s/%s", places[i][0], places[i][1], program);
        if (access(path, F_OK) == 0) return 1;
    }
    return 0;
}

int wi__go_elsewhere(const wi__elsewhere *command, char **words) {
    char path[3 * PATH_MAX];
    size_t count = 0;
    if (!find(command->program, path, sizeof path)) {
        fprintf(stderr, "within %s: this installation has none: it was built without %s\n",
                command->name, command->needs);
        return WI__STATUS_FAILED;
    }
    while (words[count]) count++;
    char **with_name = (char **)calloc(count + 2, sizeof *words);
    if (with_name) {
        with_name[0] = path;
        memcpy((void *)(with_name + 1), (void *)words, count * sizeof *words);
        fflush(stdout);
        execv(path, with_name);
    }
    fprintf(stderr, "within %s: %s: %s\n", command->name, path, strerror(errno));
    free((void *)with_name);
    return WI__STATUS_FAILED;
}
