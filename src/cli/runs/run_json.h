/* A run as a JSON object. */
#ifndef WITHIN_CLI_RUNS_RUN_JSON_H
#define WITHIN_CLI_RUNS_RUN_JSON_H

#include <stdint.h>
#include <stdio.h>

#include <sqlite3.h>

/** All but the points of its metrics, without a line end. The keys are in the manual page of `within show`. */
void wi__print_run_json(FILE *out, sqlite3 *db, int64_t run);
/** The same without the brace at the end, for members behind it. */
void wi__print_run_members(FILE *out, sqlite3 *db, int64_t run);

#endif
