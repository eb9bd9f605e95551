/* A section's begin and end, against two bare reads of the clock that it uses. */
#include <within.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"
#include "record/clock.h"

static void flat(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_section("flat")) {
        }
    }
}

static void four_deep(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i += 4) {
        within (wi_section("one"))
            within (wi_section("two"))
                within (wi_section("three"))
                    within (wi_section("four")) {
                    }
    }
}

static void by_name(size_t n, int size) {
    static const char *const names[] = {"load", "train", "validate", "store"};
    (void)size;
    for (size_t i = 0; i < n; i++) {
        within (wi_section(names[i % 4])) {
        }
    }
}

#define FOUR_SITES                                                                                 \
    within (wi_section("child")) {                                                                 \
    }                                                                                              \
    within (wi_section("child")) {                                                                 \
    }                                                                                              \
    within (wi_section("child")) {                                                                 \
    }                                                                                              \
    within (wi_section("child")) {                                                                 \
    }

static void sixteen_in_turn(size_t n, int size) {
    (void)size;
    within (wi_section("parent"))
        for (size_t i = 0; i < n; i += 16) {
            FOUR_SITES FOUR_SITES FOUR_SITES FOUR_SITES
        }
}

/* ---- the baseline ---- */

static void two_counter_reads(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        uint64_t begin = wi__clock_counter(), end = wi__clock_counter();
        __asm__ volatile("" ::"r"(begin), "r"(end));
    }
}

static void two_clock_reads(size_t n, int size) {
    (void)size;
    for (size_t i = 0; i < n; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        clock_gettime(CLOCK_MONOTONIC, &end);
        __asm__ volatile("" ::"r"(&begin), "r"(&end) : "memory");
    }
}

/* Reports say which clock they measured with. */
static int measures_with_clock_gettime(void) {
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) abort();
    wi_report(stream);
    fclose(stream);
    int found = strstr(text, "CLOCK_MONOTONIC") != NULL;
    free(text);
    return found;
}

static const char *where; /* the record and, if it is not the usual one, the clock */

static void row(const char *what, bench_side *subject, int two_threads, double ratio) {
    char name[100];
    bench_side *reads = measures_with_clock_gettime() ? two_clock_reads : two_counter_reads;
    snprintf(name, sizeof name, "section: %s, %s", what, where);
    bench(name, subject, reads, .two_threads = two_threads,
          .target = {ratio > 0 ? BENCH_RATIO : BENCH_NOTHING, ratio});
}

int main(void) {
    const double most = 1.15;
    flat(1, 0);
    where = getenv("WITHIN_CLOCK") ? "clock_gettime" : wi_record_path() ? "in a file" : "in memory";
    row("flat", flat, 0, most);
    row("4 deep", four_deep, 0, most);
    row("flat, 2 threads", flat, 1, most);
    row("4 deep, 2 threads", four_deep, 1, most);
    row("16 in turn", sixteen_in_turn, 0, 0);
    row("by name", by_name, 0, 0);
    return 0;
}
