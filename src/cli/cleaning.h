/*
 * What `within clean` does with one thing that it has found, what it says of that, and the sums.
 */
#ifndef WITHIN_CLI_CLEANING_H
#define WITHIN_CLI_CLEANING_H

#include <limits.h>
#include <stdint.h>

#include "manage/leftover.h"

typedef struct wi__cleaning {
    int dry_run, verbose;
    double older_than_s; /* records that were last written before that; NAN: none */
    uint64_t folders;    /* looked at */
    uint64_t scratch, unfinished, records; /* removed */
    uint64_t files, bytes;                 /* of these */
    uint64_t left, failed;
} wi__cleaning;

/** Something in a folder, and what people know the folder as: "" for the working folder. */
typedef struct wi__found {
    int folder;
    const char *where;
    const char *name;
} wi__found;

/** Remove what a dead process left; leave the rest, and say why. */
void wi__clean_leftover(wi__cleaning *cleaning, const wi__found *found,
                        const wi__leftover *leftover);
/** Remove the stale records in a folder ".within". */
void wi__clean_records(wi__cleaning *cleaning, const wi__found *found);
/** Say on stderr that something could not be done. */
void wi__cleaning_trouble(const char *what, const char *path, int error);
/** And count it, so that the command fails. */
void wi__cleaning_failed(wi__cleaning *cleaning, const char *what, const char *path, int error);
/** Print the last line. */
void wi__cleaning_summary(const wi__cleaning *cleaning);

/* ---- what the two kinds of things share ---- */

typedef struct wi__shown {
    char text[2 * PATH_MAX];
} wi__shown;

/** A path as it can be printed. */
wi__shown wi__found_text(const wi__found *found, const char *name);
/** How things are removed. */
int wi__cleaning_how(const wi__cleaning *cleaning);
/** Add what was removed to the sums, and begin the line that says so: "removed scratch directory PATH". */
void wi__cleaning_removed(wi__cleaning *cleaning, const char *kind, const wi__found *found,
                          const char *name, const wi__removal *removal);
/** Count what stays and say why; if `silently`, only when asked to be verbose. */
void wi__cleaning_left(wi__cleaning *cleaning, const char *kind, const wi__shown *path,
                       uint32_t pid, const char *why, int silently);

#endif
