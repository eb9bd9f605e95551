/*
 * Finding records: the newest one here, and those that other processes of a run have left beside one.
 */
#ifndef WITHIN_CLI_NEWEST_H
#define WITHIN_CLI_NEWEST_H

#include <stddef.h>
#include <stdint.h>

/* Where `within run` keeps records, and how they end. */
#define WI__RECORD_FOLDER ".within"
#define WI__RECORD_SUFFIX ".within"

/** The record below .within/ that was changed last. @return 1, or 0 with the reason in `why`. */
int wi__newest_record(char *path, size_t size, char *why, size_t why_size);

/**
 * The records "<path>.<pid>" of the same run: those that do not begin before `realtime_ns`.
 *
 * @param first  the path of one of them.
 * @return how many there are.
 */
size_t wi__siblings(const char *path, uint64_t realtime_ns, char *first, size_t size);

#endif
