/* The tables of a database of runs. */
#ifndef WITHIN_RUNS_SCHEMA_H
#define WITHIN_RUNS_SCHEMA_H

enum { WI__RUNS_VERSION = 1, WI__RUNS_APPLICATION = 2003387502 };

/** SQL that makes all of a new database; to be run in a transaction. */
extern const char wi__runs_schema[];
/** SQL that makes the views `metric` and `runs`, in the same transaction; `wi__runs_no_views` removes them. */
extern const char wi__runs_views[], wi__runs_no_views[];

#endif
