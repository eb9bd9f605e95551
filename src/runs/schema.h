/* The tables of a database of runs. */
#ifndef WITHIN_RUNS_SCHEMA_H
#define WITHIN_RUNS_SCHEMA_H

enum { WI__RUNS_VERSION = 1, WI__RUNS_APPLICATION = 2003387502 };

/** SQL that makes the tables of version 1 in an empty database. To be run in a transaction, as all of this. */
extern const char wi__runs_schema[];
/** SQL that makes the views `metric` and `runs` of the newest version; `wi__runs_no_views` removes those of any. */
extern const char wi__runs_views[], wi__runs_no_views[];

#endif
