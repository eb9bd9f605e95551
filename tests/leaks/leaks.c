/*
 * How often the leak watch is wrong: for each kind of series the shares of false alarms, or of missed leaks.
 *
 *     leaks [SERIES [CALLS]]        by default 500 series of 86,400 calls of each kind: one a second for a day
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/leak_judge.h"
#include "series.h"

enum { LEAST = 8 };
static const uint64_t counts[] = {256, 4096, 65536}; /* calls before the one look */

typedef struct outcomes {
    int one_look[3];
    int told[2], stands[2]; /* of 2 looks in a row, and of 3: ever, and at the end */
} outcomes;

static int found_by_one_look(const series_kind *kind, uint64_t seed, uint64_t calls) {
    wi__leak_series windows;
    wi__leak_growth growth;
    memset(&windows, 0, sizeof windows);
    series s = series_begin(seed);
    for (uint64_t call = 1; call <= calls; call++)
        wi__leak_add(&windows, &(wi__leak_sample){series_next(&s, kind), 0, call, (double)call});
    return wi__leak_look(&windows, LEAST, &growth);
}

static void judge(const series_kind *kind, uint64_t seed, uint64_t calls, uint32_t looks, int *told,
                  int *stands) {
    wi__leak_series windows;
    wi__leak_growth growth;
    memset(&windows, 0, sizeof windows);
    series s = series_begin(seed);
    int was_told = 0;
    for (uint64_t call = 1; call <= calls; call++) {
        wi__leak_sample sample = {series_next(&s, kind), 0, call, (double)call};
        was_told |= wi__leak_judge(&windows, &sample, LEAST, looks, &growth) == WI__LEAK_TOLD;
    }
    *told += was_told;
    *stands += windows.is_told != 0;
}

/* Of a leak what was missed, of the others what was told. */
static double share(const series_kind *kind, int found, int count) {
    return 100. * (kind->is_leak ? count - found : found) / count;
}

static void print_row(const series_kind *kind, const outcomes *outcome, int count) {
    printf("| %s |", kind->name);
    for (int i = 0; i < 3; i++) printf(" %.1f |", share(kind, outcome->one_look[i], count));
    for (int i = 0; i < 2; i++)
        printf(" %.1f | %.1f |", share(kind, outcome->told[i], count),
               share(kind, outcome->stands[i], count));
    putchar('\n');
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 500;
    uint64_t calls = argc > 2 ? strtoull(argv[2], NULL, 10) : 86400;
    for (const series_kind *kind = kinds; kind->name; kind++) {
        outcomes outcome = {.told = {0}};
        for (int i = 0; i < count; i++) {
            uint64_t seed = (uint64_t)(i + 1);
            for (int j = 0; j < 3; j++)
                outcome.one_look[j] += found_by_one_look(kind, seed, counts[j]);
            for (uint32_t j = 0; j < 2; j++)
                judge(kind, seed, calls, 2 + j, &outcome.told[j], &outcome.stands[j]);
        }
        print_row(kind, &outcome, count);
    }
}
