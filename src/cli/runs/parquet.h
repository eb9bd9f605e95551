/*
 * Parquet by Python's pyarrow: it reads CSV from a pipe, and writes the file.
 *
 * Life cycle: wi__parquet_begin, write the CSV to `to`, wi__parquet_end.
 */
#ifndef WITHIN_CLI_RUNS_PARQUET_H
#define WITHIN_CLI_RUNS_PARQUET_H

#include <stdio.h>
#include <sys/types.h>

typedef struct wi__parquet {
    FILE *to;
    pid_t python;
} wi__parquet;

/**
 * Start Python, and see that it has pyarrow.
 *
 * @param target  the file; NULL: stdout.
 * @raise WI_OS_ERROR if there is no Python, or none with pyarrow.
 */
void wi__parquet_begin(wi__parquet *parquet, const char *target);
/** @raise WI_OS_ERROR if Python failed; what it said is on stderr. */
void wi__parquet_end(wi__parquet *parquet);

#endif
