/*
 * What the programs of `make bench` share: two sides measured in turns on one core, one JSON line a row.
 *
 * A slice of the subject, a slice of the baseline, and so on, each some 50 microseconds long: what else
 * the machine does meanwhile meets both sides alike, and the median leaves out the slices that it broke.
 *
 * In the environment: BENCH_SECONDS for each row, BENCH_ONLY for the part of the names to measure.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stddef.h>

/** What a row promises to keep below `at_most`. */
typedef struct bench_target {
    enum { BENCH_NOTHING, BENCH_RATIO, BENCH_DIFFERENCE, BENCH_VALUE } of;
    double at_most;
} bench_target;

/** Does something n times, n a power of two. `size` is the row's: a depth, a number of callbacks. */
typedef void bench_side(size_t n, int size);

typedef struct bench_row {
    const char *name;
    bench_side *subject;
    bench_side *baseline;
    int size;
    int two_threads; /* each on a core of its own; the worse of the two counts */
    bench_target target;
} bench_row;

/** Measure a row and print it, in nanoseconds for each of the n: bench("no-op", blocks, calls, .size = 1); */
#define bench(row, of, against, ...)                                                               \
    bench_measure(&(bench_row){.name = row, .subject = of, .baseline = against, ##__VA_ARGS__})
void bench_measure(const bench_row *row);
/** Print a row that is no time: bytes. */
void bench_bytes(const char *name, double value, double baseline, bench_target target);
/** Print a row that the program has timed itself. */
void bench_ns(const char *name, double value, double baseline, bench_target target);
/** How long a row is measured: BENCH_SECONDS, or what is usual. */
double bench_seconds(void);
/** Is a row asked for? bench and bench_bytes leave it out by themselves. */
int bench_wanted(const char *name);

#endif
