/*
 * Reports: a profile as text for people, or as JSON or CSV for programs.
 *
 * All formats show the same rows (view.h); what differs is how they are written.
 */
#ifndef WITHIN_REPORT_REPORT_H
#define WITHIN_REPORT_REPORT_H

#include <stdio.h>

#include "record/profile.h"

typedef enum wi__report_format { WI__TEXT, WI__JSON, WI__CSV } wi__report_format;

typedef enum wi__report_sort {
    WI__BY_TOTAL, /* the largest first */
    WI__BY_SELF,
    WI__BY_CALLS,
    WI__BY_NAME, /* by its bytes */
} wi__report_sort;

typedef enum wi__report_color {
    WI__COLOR_AUTO,
    WI__COLOR_NEVER,
    WI__COLOR_ALWAYS
} wi__report_color;

/** All zero is the default: a tree of all paths as text, the largest total first. */
typedef struct wi__report_options {
    wi__report_format format;
    wi__report_sort sort;
    uint32_t depth;         /* levels of the tree that are shown; 0: all */
    double min_percent;     /* paths with less of the whole time are left out */
    int flat;               /* full paths in one list, not a tree */
    wi__report_color color; /* by default on a terminal, unless NO_COLOR is set */
    int width;              /* columns; 0: the terminal's, and no limit if it is none */
    const char *record;     /* the record's path, to be shown; or NULL */
} wi__report_options;

/**
 * Print the report of a profile.
 *
 * @return 1, or 0 if there is no memory for it: then nothing is printed. Trouble with the stream itself
 *         is in its error flag, as with fprintf.
 */
int wi__report_print(FILE *stream, const wi__profile *profile, const wi__report_options *options);

#endif
