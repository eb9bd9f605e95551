/*
 * Finding the newest record below the current folder.
 */
#ifndef WITHIN_CLI_NEWEST_H
#define WITHIN_CLI_NEWEST_H

#include <stddef.h>

/* Where `within run` keeps records, and how they end. */
#define WI__RECORD_FOLDER ".within"
#define WI__RECORD_SUFFIX ".within"

/** The record below .within/ that was changed last. @return 1, or 0 with the reason in `why`. */
int wi__newest_record(char *path, size_t size, char *why, size_t why_size);

#endif
