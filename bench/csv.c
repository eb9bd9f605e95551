/* Rows of a CSV log, against the same rows by snprintf and write. */
#include <within.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

/* What a long run writes: numbers that differ from row to row, with all their digits. */
static double number(size_t i) { return 1e-3 * (double)(i % 997) + 0.1; }

static wi_csv *numbers, *mixed;
static int bare;

static void log_numbers(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) wi_csv_row(numbers, number(i), number(i + 7));
}

static void print_numbers(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        char row[64];
        int length = snprintf(row, sizeof row, "%.17g,%.17g\n", number(i), number(i + 7));
        if (write(bare, row, (size_t)length) != length) abort();
    }
}

static void log_mixed(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) wi_csv_row(mixed, (long)i, number(i), "converged");
}

static void print_mixed(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        char row[64];
        int length = snprintf(row, sizeof row, "%ld,%.17g,%s\n", (long)i, number(i), "converged");
        if (write(bare, row, (size_t)length) != length) abort();
    }
}

int main(void) {
    char folder[] = "/tmp/within-bench-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    bare = open("bare.csv", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bench_target at_most = {BENCH_RATIO, 1.1};
    within (f, wi_csv("numbers.csv", "snr,ber", .sync_every_s = -1)) {
        numbers = f;
        bench("csv: a row of 2 doubles", log_numbers, print_numbers, .target = at_most);
    }
    within (f, wi_csv("mixed.csv", "step:int,loss:float,note:text", .sync_every_s = -1)) {
        mixed = f;
        bench("csv: a row of long, double, text", log_mixed, print_mixed, .target = at_most);
    }
    close(bare);
    remove("bare.csv");
    remove("numbers.csv");
    remove("mixed.csv");
    return chdir("/") || rmdir(folder);
}
