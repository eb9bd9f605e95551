/* What the tests of checkpoints share: files in one line, a series filled, what a folder holds, what was said. */
#ifndef WITHIN_CHECKPOINT_HELPERS_H
#define WITHIN_CHECKPOINT_HELPERS_H

#include <dirent.h>

#include "record_helpers.h"

WI__UNUSED static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    expect_that(file && fputs(text, file) >= 0 && fclose(file) == 0, path, "cannot be written");
}

WI__UNUSED static const char *read_file(const char *path) {
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    expect_that(file != NULL, path, "cannot be read");
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

WI__UNUSED static void flip_bit(const char *path, long bit) {
    FILE *file = fopen(path, "r+");
    fseek(file, bit / 8, SEEK_SET);
    int byte = fgetc(file);
    expect_that(byte != EOF, path, "has no bit %ld", bit);
    fseek(file, bit / 8, SEEK_SET);
    fputc(byte ^ 1 << bit % 8, file);
    fclose(file);
}

WI__UNUSED static int by_name(const struct dirent **one, const struct dirent **other) {
    return strcmp((*one)->d_name, (*other)->d_name);
}

/* The names in a folder, "a b"; the lock is left out. In a buffer that the next call reuses. */
WI__UNUSED static const char *names_in(const char *path) {
    static char text[8192];
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            strcmp(name, ".checkpoints.lock") != 0)
            sprintf(text + strlen(text), "%s%s", text[0] ? " " : "", name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    return text;
}

/* The sequences that are published, "3 4 5", found by their manifests alone. */
WI__UNUSED static const char *published_in(const wi_checkpoints *series) {
    static char text[1024];
    text[0] = '\0';
    for (wi_checkpoint each = {.sequence = 0}; wi_checkpoint_next(series, &each);)
        sprintf(text + strlen(text), "%s%" PRIu64, text[0] ? " " : "", each.sequence);
    return text;
}

typedef struct call {
    void (*fn)(void *arg);
    void *arg;
    const wi_error_type *type;
} call;

/* Call, and expect an error with this in its message. */
WI__UNUSED static void expect_error(const char *where, void (*fn)(void *arg), void *arg,
                                    const wi_error_type *type, const char *words) {
    wi_error *error = NULL;
    expect_that(!wi_call(fn, arg, &error), where, "nothing was raised");
    expect_that(wi_error_is(error, type), where, "%s was raised: %s", wi_error_kind(error)->name,
                wi_error_message(error));
    expect_that(strstr(wi_error_message(error), words) != NULL, where, "the message is: %s",
                wi_error_message(error));
    wi_error_free(error);
}

/* ---- what was passed over ---- */

static char passed[4096]; /* "name: why\n" */

WI__UNUSED static void note_passed(void *arg, const char *name, const char *why) {
    (void)arg;
    snprintf(passed + strlen(passed), sizeof passed - strlen(passed), "%s: %s\n", name, why);
}

#define QUIETLY .passed_over = note_passed

/* ---- stderr ---- */

static int kept_stderr;

WI__UNUSED static void begin_hearing(void) {
    int out = open("said", O_RDWR | O_CREAT | O_TRUNC, 0600);
    kept_stderr = dup(2);
    dup2(out, 2);
    close(out);
}

WI__UNUSED static const char *said(void) {
    fflush(stderr);
    dup2(kept_stderr, 2);
    close(kept_stderr);
    return read_file("said");
}

#endif
