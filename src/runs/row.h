/* The row of a run: written when it begins, or goes on. */
#ifndef WITHIN_RUNS_ROW_H
#define WITHIN_RUNS_ROW_H

#include "runs/open_run.h"

/** A new id: 128 random bits. @raise WI_OS_ERROR if the system has none. */
void wi__row_new_id(char id[WI_RUN_ID_LENGTH + 1]);
/** Find the run of wi_run_options.resume, and check that it is over. @raise WI_VALUE_ERROR */
void wi__row_find(wi__open_run *open, const char *beginning, char id[WI_RUN_ID_LENGTH + 1]);
/** Insert the row of a new run, and set open->row. */
void wi__row_insert(wi__open_run *open, int64_t parent);
/** The row of an older run is RUNNING again: its journal begins anew, and its series and parameters are known. */
void wi__row_resume(wi__open_run *open);
/** What was done is taken back: the run could not begin. */
void wi__row_take_back(const wi__open_run *open);
/** The row of the run of this id; 0 if there is none. */
int64_t wi__row_of(sqlite3 *db, const char *id);

#endif
