/* 100 MB into a redirected stdout, from the block's begin to its end, against the same into a plain file. */
#include <within.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

enum { CHUNK = 1 << 16, CHUNKS = 1526, LINES = CHUNK / 80 * CHUNKS };

static void write_chunks(int fd) {
    static char chunk[CHUNK];
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < CHUNKS; i++)
        if (write(fd, chunk, sizeof chunk) != sizeof chunk) abort();
}

static void print_lines(FILE *stream) {
    for (int i = 0; i < LINES; i++)
        if (fprintf(stream, "%79d\n", i) != 80) abort();
}

/* ---- by hand ---- */

static void chunks_to_a_file(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        int fd = open("plain", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        write_chunks(fd);
        if (close(fd)) abort();
    }
}

static void lines_to_a_file(size_t n, int mode) {
    for (size_t i = 0; i < n; i++) {
        FILE *file = fopen("plain", "w");
        if (!file || setvbuf(file, NULL, mode, BUFSIZ)) abort();
        print_lines(file);
        if (fclose(file)) abort();
    }
}

/* ---- redirected ---- */

static void chunks_to_a_path(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++)
        within (wi_redirect(STDOUT_FILENO, .path = "redirected")) write_chunks(STDOUT_FILENO);
}

static void lines_to_a_path(size_t n, int mode) {
    for (size_t i = 0; i < n; i++)
        within (wi_redirect(STDOUT_FILENO, .path = "redirected", .by_line = mode == _IOLBF))
            print_lines(stdout);
}

static void chunks_to_a_buffer(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        wi_captured output = {0};
        within (wi_redirect(STDOUT_FILENO, .into = &output)) write_chunks(STDOUT_FILENO);
        wi_captured_free(&output);
    }
}

static void lines_to_a_buffer(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        wi_captured output = {0};
        within (wi_redirect(STDOUT_FILENO, .into = &output)) print_lines(stdout);
        wi_captured_free(&output);
    }
}

/* ---- an empty block ---- */

static void empty_blocks(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++)
        within (wi_redirect(STDOUT_FILENO, .path = "redirected")) continue;
}

static void by_hand(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        fflush(stdout);
        int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        int file = open("plain", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
        if (dup2(file, STDOUT_FILENO) < 0 || close(file)) abort();
        fflush(stdout);
        if (dup2(kept, STDOUT_FILENO) < 0 || close(kept)) abort();
    }
}

int main(void) {
    /* In memory: how long a disk takes to empty a file, and to be busy with the last one, would be all that is seen. */
    char folder[] = "/dev/shm/within-bench-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    const bench_target at_most = {BENCH_RATIO, 1.1};
    bench("redirect: 100 MB, 64 KiB a write", chunks_to_a_path, chunks_to_a_file,
          .target = at_most);
    bench("redirect: 100 MB of lines by stdio", lines_to_a_path, lines_to_a_file, .size = _IOFBF,
          .target = at_most);
    bench("redirect: 100 MB, .by_line", lines_to_a_path, lines_to_a_file, .size = _IOLBF,
          .target = at_most);
    bench("redirect: 100 MB into a buffer", chunks_to_a_buffer, chunks_to_a_file,
          .target = at_most);
    bench("redirect: 100 MB of lines, buffer", lines_to_a_buffer, lines_to_a_file, .size = _IOFBF,
          .target = at_most);
    bench("redirect: empty block", empty_blocks, by_hand);
    remove("plain");
    remove("redirected");
    return chdir("/") || rmdir(folder);
}
