/*
 * What a report shows: the paths that were chosen, in the order of printing, with their figures.
 *
 * Left out are paths without a call, and what --depth and --min-percent hide; a path is hidden with all
 * below it. The work is O(n log n) in the number of paths.
 */
#ifndef WITHIN_REPORT_VIEW_H
#define WITHIN_REPORT_VIEW_H

#include "report/report.h"

/* Bytes of a full path in a report. Of a longer one the begin is left out: a recursion of 10,000 levels
 * must not make a report of a gigabyte. */
enum { WI__PATH_TEXT = 2048 };

typedef struct wi__row {
    uint32_t path;
    uint32_t parent; /* the parent's path; WI__ROOT at the top */
    uint32_t depth;  /* 0 at the top */
    double key;      /* larger ones come first */
    const char *name;
    wi__figures figures;
} wi__row;

typedef struct wi__view {
    size_t row_count;
    wi__row *rows;
    size_t too_deep;  /* paths that were left out by --depth, */
    size_t too_small; /* and by --min-percent */
    int has_gpu;      /* has any path used a GPU? */
} wi__view;

/** @return 1, or 0 without memory: then there is nothing to release. */
int wi__view_init(wi__view *view, const wi__profile *profile, const wi__report_options *options);
void wi__view_release(wi__view *view);

/** The full path "a > b > c", or "… > b > c" if it does not fit. Looks at no more levels than fit. */
void wi__full_path(const wi__profile *profile, uint32_t path, char *buffer, size_t size);

#endif
