/*
 * Curves: points of metrics, and what is left of them on a drawing that is so many dots wide.
 *
 * Life cycle: wi__curves_add once for each; wi__curves_release.
 */
#ifndef WITHIN_CLI_RUNS_CURVES_H
#define WITHIN_CLI_RUNS_CURVES_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "cli/runs/ticks.h"

enum { WI__CURVES = 16 };

typedef struct wi__curve {
    char *label; /* printable */
    size_t count, room;
    double *x, *y;
} wi__curve;

typedef struct wi__curves {
    size_t count;
    wi__curve curves[WI__CURVES];
} wi__curves;

/** What a curve is drawn over. */
typedef enum wi__over {
    WI__OVER_STEP,
    WI__OVER_TIME /* in seconds since the run began */
} wi__over;

/**
 * Read a curve. Points that are not finite are gaps; on a logarithmic axis so are those that are not positive.
 *
 * @param label  taken: freed by wi__curves_release.
 * @return 0 if the run has no metric of that name, or there are too many curves; the label is freed then.
 */
int wi__curves_add(wi__curves *curves, sqlite3 *db, int64_t run, int64_t started_ms,
                   const char *metric, wi__over over, char *label);
void wi__curves_release(wi__curves *curves);

/** The least and the most of all points that can be drawn. @return 0 if there is none. */
int wi__curves_range(const wi__curves *curves, int log_x, int log_y, double x[2], double y[2]);

/** A dot of a trace: from 0 to 1 from the left and from below; x is NaN where the line is broken. */
typedef struct wi__dot {
    double x, y;
} wi__dot;

/**
 * The line through a curve's points: of those that fall into one dot's column one after the other, the first, the
 * least, the most and the last are kept, so that it looks as the whole would.
 *
 * @param columns  how many dots the drawing is wide.
 * @param[out] count  how many there are.
 * @return free it. @raise WI_MEMORY_ERROR
 */
wi__dot *wi__curve_trace(const wi__curve *curve, const wi__axis *x, const wi__axis *y, int columns,
                         size_t *count);

#endif
