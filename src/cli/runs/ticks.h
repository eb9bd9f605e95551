/* An axis: its range, and ticks at round numbers. */
#ifndef WITHIN_CLI_RUNS_TICKS_H
#define WITHIN_CLI_RUNS_TICKS_H

enum { WI__TICKS = 24 };

typedef struct wi__tick {
    double value;
    char label[24];
} wi__tick;

typedef struct wi__axis {
    double low, high;
    int is_log;
    int tick_count;
    wi__tick ticks[WI__TICKS]; /* inside the range, rising */
} wi__axis;

/**
 * An axis for numbers from low to high.
 *
 * @param low, high  finite; both positive for a logarithmic axis. Where they are one number, there is room around it.
 * @param margin     a share of the range that is added at either end.
 * @param most       about how many ticks there is room for; 2 at least.
 *
 * Method: steps of 1, 2 or 5 times a power of ten. P. S. Heckbert, "Nice numbers for graph labels", Graphics Gems,
 * 1990, 61-63; of a logarithmic axis powers of ten, with 2 and 5 times these where there are few.
 */
wi__axis wi__axis_for(double low, double high, int is_log, double margin, int most);
/** Where a number stands: 0 at the low end, 1 at the high one. */
double wi__axis_place(const wi__axis *axis, double value);

#endif
