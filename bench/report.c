/* Reading and printing a large record: the whole process `within report`, against reading the file. */
#include <within.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "harness.h"

static const char *within_program;

/* 50 paths of one level, 999 below each. */
static void make_nodes(void) {
    char name[40];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "case %d", i);
        within (wi_section(name))
            for (int j = 0; j < 999; j++) {
                snprintf(name, sizeof name, "step %d", j);
                within (wi_section(name)) {
                }
            }
    }
}

static void reports(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        const char *arguments[] = {"within", "report", wi_record_path(), NULL};
        run_command(within_program, arguments);
    }
}

static void reads(size_t n, int size) {
    static char bytes[1 << 20];
    (void)size;
    for (size_t i = 0; i < n; i++) {
        int file = open(wi_record_path(), O_RDONLY | O_CLOEXEC);
        while (read(file, bytes, sizeof bytes) > 0) continue;
        close(file);
    }
}

int main(int count, char **arguments) {
    static const char name[] = "within report of 50,000 paths";
    if (!bench_wanted(name)) return 0;
    make_nodes();
    if (count != 2 || !wi_record_path()) {
        fputs("usage: WITHIN_RECORD=PATH report WITHIN_PROGRAM\n", stderr);
        return 2;
    }
    within_program = arguments[1];
    bench(name, reports, reads, .target = {BENCH_VALUE, 1e9});
    return 0;
}
