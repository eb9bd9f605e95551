/* Scratch directories against mkdtemp and rmdir, which leave what a killed process made. */
#include <stdlib.h>
#include <unistd.h>

#include <within.h>

#include "harness.h"

static void scratch_directories(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_tempdir()) continue;
    }
}

static void by_hand(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        char path[] = "/tmp/within-bench-XXXXXX";
        if (!mkdtemp(path) || rmdir(path)) abort();
    }
}

int main(void) {
    unsetenv("TMPDIR");
    bench("scratch directory, empty", scratch_directories, by_hand);
    return 0;
}
