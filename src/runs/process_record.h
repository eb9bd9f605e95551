/*
 * The process's record in the live folders of its runs: what it was doing when it was killed is told from there.
 *
 * A process has one record, and runs one after the other. So where it is in no file yet, it is put into a folder of
 * the process beside the live folders, which has a link in each of them.
 */
#ifndef WITHIN_RUNS_PROCESS_RECORD_H
#define WITHIN_RUNS_PROCESS_RECORD_H

#include "record/profile.h"
#include "runs/live.h"

/** Put the process's record, or its path, into a live folder. Where that cannot be, nothing is told after a kill. */
void wi__process_record_put(const wi__live *live);
/** Keep a copy of the record as it is now, so that sections before the run can be told from those in it. */
void wi__process_record_copy(const wi__live *live, const wi__profile *profile);

/**
 * Read the record of a dead process from a live folder.
 * @param owner  PID-START-BOOT-HOST; the record of another process does not count.
 * @return 1, or 0: there is none, and the profile holds nothing.
 */
int wi__process_record_read(int folder, const char *owner, wi__profile *profile);
/** The copy of its begin. As wi__process_record_read. */
int wi__process_record_read_copy(int folder, wi__profile *profile);

/**
 * What was open, innermost first: a line each. What this library holds of the database itself is left out.
 * @return to be freed by the caller; NULL: nothing was.
 */
char *wi__process_record_doing(const wi__profile *profile, const char *database);

/** Remove what is left of the records of dead processes. */
void wi__process_record_sweep(const char *root);

#endif
