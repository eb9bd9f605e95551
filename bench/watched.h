/* A section that is watched, and the same that is not: the two sides of rows about the leak watch. */
#ifndef WITHIN_BENCH_WATCHED_H
#define WITHIN_BENCH_WATCHED_H

#include <stddef.h>

#include <within.h>

/* Some nanoseconds for each of `size`. */
static void work(int size) {
    for (int i = 0; i < size; i++) __asm__ volatile("" ::"r"(i));
}

static void watched(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (wi_section("watched")) work(size);
}

static void not_watched(size_t n, int size) {
    for (size_t i = 0; i < n; i++)
        within (wi_section("not watched")) work(size);
}

#endif
