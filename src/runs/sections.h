/*
 * The sections of a run: what the process's record counts at its end, less what it counted at its begin. So runs of
 * one process, one after the other, do not mix. Counts, sums and histograms subtract exactly; the least and the most
 * are exact of sections that were not called before, else to the 7 % of a histogram's bucket.
 */
#ifndef WITHIN_RUNS_SECTIONS_H
#define WITHIN_RUNS_SECTIONS_H

#include "record/profile.h"

/** Take off `now` what was there before. @return 0: there is no memory, and nothing was done. */
int wi__sections_subtract(wi__profile *now, const wi__profile *before);

typedef struct wi__section_taker {
    /** A section with its full path "a > b", called or open meanwhile. @return 0 to go on. */
    int (*section)(void *arg, const char *path, const wi__figures *figures);
    /** A finding of the leak watch that was not there before: "leak: …" or "growing: …". */
    int (*finding)(void *arg, const char *path, const char *what);
    void *arg;
} wi__section_taker;

/**
 * Give each section, and each finding.
 * @param before  as for wi__sections_subtract, which was done; NULL: there was nothing.
 * @return 0, or what a taker returned.
 */
int wi__sections_each(const wi__profile *now, const wi__profile *before,
                      const wi__section_taker *taker);

/** The columns of a section's row, from calls to errors, separated by spaces; "nan" where there is nothing to tell. */
void wi__section_columns(const wi__figures *figures, char *text, size_t size);

#endif
