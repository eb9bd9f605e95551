/*
 * The sections of a run: what the process's record counts at its end, less what it counted at its begin. So runs of
 * one process, one after the other, do not mix. Counts, sums and histograms subtract exactly; the least and the most
 * are exact of sections that were not called before, else to the 7 % of a histogram's bucket.
 */
#ifndef WITHIN_RUNS_SECTIONS_H
#define WITHIN_RUNS_SECTIONS_H

#include "record/profile.h"
#include "runs/journal.h"

/** Take off `now` what was there before. @return 0: there is no memory, and nothing was done. */
int wi__sections_subtract(wi__profile *now, const wi__profile *before);

/**
 * Give each section that was called or is open, and each finding of the leak watch that was not there before, as a note.
 * @param before  as for wi__sections_subtract, which was done; NULL: there was nothing.
 * @param take    the note is borrowed for the call. @return 0 to go on.
 * @return 0, or what `take` returned.
 */
int wi__sections_each(const wi__profile *now, const wi__profile *before,
                      int (*take)(void *arg, const wi__note *note), void *arg);

#endif
