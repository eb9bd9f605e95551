/*
 * Writes the corpus: small records of real programs, each with something that others lack.
 *
 *     make_corpus FOLDER
 *
 * Run it when the format has changed, and commit what it wrote: `ninja -C build corpus`.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <within.h>

#include "record/format.h"

static void nothing(void) { wi_record_path(); }

static void nested(void) {
    for (int i = 0; i < 5; i++)
        within (wi_section("sweep"))
            within (wi_section("snr")) continue;
}

static void killed_inside(void) {
    wi_hold("file", "results.csv");
    within (wi_section("run"))
        within (wi_section("epoch"))
            within (wi_section("step")) raise(SIGKILL);
}

static void raise_no(void *arg) { wi_raise(WI_VALUE_ERROR, "%s", (const char *)arg); }

static void suppressed_and_mismatched(void) {
    wi_section twice = wi_section("twice");
    within (wi_section("solve")) wi_call(raise_no, "singular", NULL);
    twice.protocol->enter(&twice);
    twice.protocol->exit(&twice, WI_END, NULL);
    twice.protocol->exit(&twice, WI_END, NULL);
}

static void odd_names(void) {
    char name[300];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    within (wi_section(name)) continue;
    within (wi_section("\x1b[2J\xff ü€😀")) continue;
    within (wi_section("")) continue;
}

static void *in_thread(void *name) {
    within (wi_section("shared"))
        within (wi_section((const char *)name)) continue;
    return NULL;
}

static void threads(void) {
    pthread_t others[2];
    for (int i = 0; i < 2; i++) pthread_create(&others[i], NULL, in_thread, i ? "odd" : "even");
    for (int i = 0; i < 2; i++) pthread_join(others[i], NULL);
}

static const struct {
    const char *name;
    void (*body)(void);
} records[] = {
    {"nothing", nothing},
    {"nested", nested},
    {"killed_inside", killed_inside},
    {"suppressed_and_mismatched", suppressed_and_mismatched},
    {"odd_names", odd_names},
    {"threads", threads},
};

static int write_record(const char *folder, const char *name, void (*body)(void)) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    pid_t child = fork();
    if (child == 0) {
        wi_record_open(path);
        body();
        exit(0);
    }
    waitpid(child, NULL, 0);
    wi__header header = {.used_cells = 0};
    FILE *file = fopen(path, "r");
    if (!file || fread(&header, sizeof header, 1, file) != 1 || fclose(file)) return 0;
    return truncate(path, (off_t)header.used_cells * WI__CELL_BYTES) == 0;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        if (!write_record(arguments[1], records[i].name, records[i].body)) return 1;
    return 0;
}
