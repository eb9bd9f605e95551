/* Saving a checkpoint against the bare calls that write a file; and CRC32C by the instruction against tables. */
#include <within.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "manage/crc32c.h"

static char content[1 << 20];
static wi_checkpoints series;

static void check(int holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(1);
}

/* ---- saving ---- */

static void write_file(const char *path, size_t size) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    check(file >= 0 && write(file, content, size) == (ssize_t)size, "write");
    check(close(file) == 0, "close");
}

static void by_manager(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (save, wi_checkpoint_save(&series)) write_file(save->path, (size_t)size);
}

static void sync_name(const char *path, int flags) {
    int file = open(path, flags | O_CLOEXEC);
    check(file >= 0 && fsync(file) == 0 && close(file) == 0, "fsync");
}

/* Without sums, manifest or older ones to remove: as a careful program replaces one file. */
static void by_hand(size_t n, int size) {
    for (size_t i = 0; i < n; i++) {
        write_file("ckpt/out.tmp", (size_t)size);
        sync_name("ckpt/out.tmp", O_RDONLY);
        check(rename("ckpt/out.tmp", "ckpt/out") == 0, "rename");
        sync_name("ckpt", O_RDONLY | O_DIRECTORY);
    }
}

/* ---- sums of n KiB ---- */

typedef uint32_t way(uint32_t state, const unsigned char *bytes, size_t n);

static void sum(way *sum_up, size_t n) {
    const size_t most = 256;
    uint32_t state = ~0u;
    for (size_t done = 0, now; done < n; done += now) {
        now = n - done < most ? n - done : most;
        state = sum_up(state, (const unsigned char *)content, now << 10);
    }
    __asm__ volatile("" ::"r"(state));
}

static void by_instruction(size_t n, int size) {
    (void)size;
    sum(wi__crc32c_by_instruction, n);
}

static void by_tables(size_t n, int size) {
    (void)size;
    sum(wi__crc32c_by_tables, n);
}

int main(void) {
    char folder[] = "bench-checkpoints-XXXXXX";
    static const bench_target five_bytes_a_ns = {BENCH_VALUE, 1024 / 5.0};
    check(mkdtemp(folder) && chdir(folder) == 0, "a scratch folder");
    for (size_t i = 0; i < sizeof content; i++) content[i] = (char)(i * i >> 5);
    series = wi_checkpoints("ckpt", .keep = 3);
    if (wi__crc32c_has_instruction())
        bench("CRC32C of 1 KiB", by_instruction, by_tables, .target = five_bytes_a_ns);
    within (&series) {
        bench("checkpoint, 1 MiB", by_manager, by_hand, .size = 1 << 20);
        bench("checkpoint, 4 KiB", by_manager, by_hand, .size = 4 << 10);
    }
    check(chdir("..") == 0 && execlp("rm", "rm", "-r", folder, (char *)NULL) == 0, "rm");
    return 0;
}
