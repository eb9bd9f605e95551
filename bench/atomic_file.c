/* Replacing a file atomically, against the system calls that do it; and the plain managers against bare calls. */
#include <within.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static char content[64 << 20];

static void check(int holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(1);
}

static void by_manager(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (file, wi_atomic_file("out")) fwrite(content, 1, (size_t)size, file->stream);
}

static void by_path(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (path, wi_atomic_path("out"))
            within (file, wi_file(path->temporary, "w"))
                fwrite(content, 1, (size_t)size, file->stream);
}

/* As a careful program does it by hand. */
static void by_hand(size_t n, int size) {
    for (size_t i = 0; i < n; i++) {
        int file = open("out.tmp", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        check(file >= 0, "open");
        check(write(file, content, (size_t)size) == size, "write");
        check(fsync(file) == 0, "fsync");
        check(close(file) == 0, "close");
        check(rename("out.tmp", "out") == 0, "rename");
        int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        check(folder >= 0, "open the folder");
        check(fsync(folder) == 0, "fsync the folder");
        check(close(folder) == 0, "close the folder");
    }
}

static void append_by_manager(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (file, wi_file("log", "w")) fwrite(content, 1, (size_t)size, file->stream);
}

static void append_by_hand(size_t n, int size) {
    for (size_t i = 0; i < n; i++) {
        FILE *file = fopen("log", "we");
        check(file != NULL, "fopen");
        fwrite(content, 1, (size_t)size, file);
        check(fclose(file) == 0, "fclose");
    }
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_by_manager(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++)
        within (wi_lock(&mutex)) __asm__ volatile("" ::: "memory");
}

static void lock_by_hand(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        pthread_mutex_lock(&mutex);
        __asm__ volatile("" ::: "memory");
        pthread_mutex_unlock(&mutex);
    }
}

int main(void) {
    static const bench_target ten_percent = {BENCH_RATIO, 1.10};
    memset(content, 'x', sizeof content);
    bench("atomic file, 4 KiB", by_manager, by_hand, .size = 4 << 10, .target = ten_percent);
    bench("atomic file, 1 MiB", by_manager, by_hand, .size = 1 << 20, .target = ten_percent);
    bench("atomic file, 64 MiB", by_manager, by_hand, .size = 64 << 20, .target = ten_percent);
    bench("atomic path, 1 MiB", by_path, by_hand, .size = 1 << 20, .target = ten_percent);
    bench("plain file, 4 KiB", append_by_manager, append_by_hand, .size = 4 << 10);
    bench("lock", lock_by_manager, lock_by_hand);
    remove("out");
    remove("log");
    return 0;
}
