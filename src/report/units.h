/*
 * Numbers as people read them: the one place that decides on units and digits.
 *
 *     printf("%s\n", wi__seconds_text(0.0123).text);        12.3 ms
 */
#ifndef WITHIN_REPORT_UNITS_H
#define WITHIN_REPORT_UNITS_H

#include <stdint.h>

typedef struct wi__number {
    char text[32];
} wi__number;

/** "1.234 s", "12.3 ms", "4.56 us", "789 ns"; "-" for NaN. */
wi__number wi__seconds_text(double seconds);
/** "1,234,567", from ten million on "10.0M". */
wi__number wi__count_text(uint64_t count);
/** "512 B", "3.40 MB": powers of ten. */
wi__number wi__bytes_text(uint64_t bytes);
/** "+3.40 MB", "-512 B"; "-" for NaN. */
wi__number wi__signed_bytes_text(double bytes);
/** "12.3", without the sign; "-" for NaN. */
wi__number wi__percent_text(double percent);
/** A moment on the local clock: "2025-03-01 14:04:11", and "14:04:11.123". */
wi__number wi__moment_text(uint64_t realtime_ns);
wi__number wi__time_of_day_text(uint64_t realtime_ns);
/** The same in UTC, for programs: "2025-03-01T14:04:11.123456Z". */
wi__number wi__moment_utc_text(uint64_t realtime_ns);

/** "s", or "" for one: "1 thread", "2 threads". */
static inline const char *wi__plural(uint64_t count) { return count == 1 ? "" : "s"; }

#endif
