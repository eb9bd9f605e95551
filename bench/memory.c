/* What the record grows to: after millions of sections, after thousands of threads. */
#include <within.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "record/format.h"

/* Ten paths of one level, ten of two. */
static void pass_twenty_paths(void) {
    for (int i = 0; i < 10; i++) {
        char name[] = {'p', 'a', 't', 'h', ' ', (char)('0' + i), '\0'};
        within (wi_section(name))
            within (wi_section("below")) {
            }
    }
}

static double used_bytes(void) {
    wi__header header;
    int file = open(wi_record_path(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || pread(file, &header, sizeof header, 0) != sizeof header) abort();
    close(file);
    return (double)header.used_cells * WI__CELL_BYTES;
}

static double file_bytes(void) {
    struct stat status;
    if (stat(wi_record_path(), &status)) abort();
    return (double)status.st_size;
}

static void measure_sections(void) {
    const int few = 1000 / 20, many = 10000000 / 20;
    for (int i = 0; i < few; i++) pass_twenty_paths();
    double before = used_bytes();
    for (int i = few; i < many; i++) pass_twenty_paths();
    bench_bytes("record: 10,000,000 sections against 1,000", used_bytes(), before,
                (bench_target){BENCH_RATIO, 1});
}

static void *thread(void *unused) {
    (void)unused;
    pass_twenty_paths();
    return NULL;
}

static void measure_threads(void) {
    enum { AT_ONCE = 8, THREADS = 10000 };
    pthread_t threads[AT_ONCE];
    double first = 0;
    for (int done = 0; done < THREADS; done += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++)
            if (pthread_create(&threads[i], NULL, thread, NULL)) abort();
        for (int i = 0; i < AT_ONCE; i++) pthread_join(threads[i], NULL);
        if (!done) first = file_bytes();
    }
    bench_bytes("record file: 10,000 threads, 8 at once", file_bytes(), first,
                (bench_target){BENCH_VALUE, 1 << 20});
}

int main(void) {
    pass_twenty_paths();
    if (!wi_record_path()) {
        fputs("memory: the record must be in a file; set WITHIN_RECORD\n", stderr);
        return 2;
    }
    if (bench_wanted("record: 10,000,000 sections")) measure_sections();
    if (bench_wanted("record file: 10,000 threads")) measure_threads();
    return 0;
}
