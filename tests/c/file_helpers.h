/* What tests of managers that write files share: files as texts, errors, what is said, and children. */
#ifndef WITHIN_FILE_HELPERS_H
#define WITHIN_FILE_HELPERS_H

#include "process_helpers.h"

#include <dirent.h>

/* ---- files as texts ---- */

WI__UNUSED static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    expect_that(file != NULL, path, "cannot be made: %s", strerror(errno));
    fputs(text, file);
    fclose(file);
}

WI__UNUSED static const char *content(const char *path) {
    static char text[4096];
    FILE *file = fopen(path, "r");
    if (!file) return "(nothing)";
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

WI__UNUSED static mode_t mode_of(const char *path) {
    struct stat status;
    expect(stat(path, &status) == 0);
    return status.st_mode & 07777;
}

/* Temporaries in the folder. */
WI__UNUSED static int leftovers(void) {
    int count = 0;
    DIR *entries = opendir(".");
    for (struct dirent *entry; (entry = readdir(entries));)
        count += strstr(entry->d_name, ".within-") != NULL;
    closedir(entries);
    return count;
}

/* The lowest descriptor that is free: all lower ones are open. */
WI__UNUSED static int next_descriptor(void) {
    int fd = open(".", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

/* ---- errors, and what is said ---- */

WI__UNUSED static wi_error *error_of(void (*body)(void *arg), void *arg) {
    wi_error *error;
    wi_call(body, arg, &error);
    return error;
}

WI__UNUSED static void expect_error(const char *where, void (*body)(void *arg), void *arg,
                                    const wi_error_type *kind, const char *message) {
    wi_error *error = error_of(body, arg);
    expect_that(error != NULL, where, "nothing was raised");
    expect_that(strcmp(wi_error_message(error), message) == 0, where, "raised: %s",
                wi_error_message(error));
    expect_that(wi_error_kind(error) == kind, where, "raised a %s", wi_error_kind(error)->name);
    wi_error_free(error);
}

#define expect_raised(body, arg, kind, message) expect_error(WHERE, body, arg, kind, message)

/* stderr of what follows goes into a file of this name. */
WI__UNUSED static void hear(const char *path) {
    fflush(stderr);
    int said = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    expect(dup2(said, 2) == 2);
    close(said);
}

/* ---- threads that are cancelled ---- */

/* ASan takes the stack of a cancelled thread for one that is still in use. */
const char *__asan_default_suppressions(void);
WI__UNUSED const char *__asan_default_suppressions(void) { return "interceptor_name:sigaltstack"; }

/* ---- children, and other users ---- */

enum { NOBODY = 65534, OTHER = 65533 };

/* A process that has changed its user cannot be looked at, which LeakSanitizer does at its exit. */
WI__UNUSED static void end_as_another(void) { _exit(0); }

WI__UNUSED static int exit_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
