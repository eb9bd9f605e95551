/* A run's sections as the table that `within report` prints: a tree, the largest total first. */
#ifndef WITHIN_CLI_RUNS_SECTIONS_H
#define WITHIN_CLI_RUNS_SECTIONS_H

#include <sqlite3.h>

#include "report/page.h"

/**
 * Print the table, or nothing if the run has no sections.
 *
 * @param whole_s  what the share of the outermost sections is of; NaN: not known.
 * @raise WI_MEMORY_ERROR, and what SQLite says.
 */
void wi__print_sections(const wi__page *page, sqlite3 *db, int64_t run, double whole_s);

#endif
