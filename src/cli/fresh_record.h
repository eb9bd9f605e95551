/*
 * The record that `within run` makes for the program to take.
 *
 * Life cycle: wi__fresh_record_make; once the program runs wi__fresh_record_keep, or if it cannot be run
 * wi__fresh_record_discard, which leaves everything as it was; at last wi__fresh_record_close.
 */
#ifndef WITHIN_CLI_FRESH_RECORD_H
#define WITHIN_CLI_FRESH_RECORD_H

#include <limits.h>
#include <stddef.h>

#include "record/format.h"

typedef struct wi__fresh_record {
    int file; /* kept open: a record that is deleted meanwhile can still be read; -1: none */
    int made_folder;
    int is_wish;             /* the path is the user's */
    uint64_t begin_ns;       /* since 1970 */
    char shown[PATH_MAX];    /* the path as the user knows it */
    char path[PATH_MAX];     /* absolute */
    char replaced[PATH_MAX]; /* where the old record of that path waits; empty: there was none */
} wi__fresh_record;

typedef enum wi__made {
    WI__MADE,
    WI__NOT_MADE, /* no room, no right: the program can do without */
    WI__REFUSED,  /* something is there that must not be replaced */
} wi__made;

/** @param wish  the path, or NULL for one below .within/. @param why  if it is not made: the reason. */
wi__made wi__fresh_record_make(wi__fresh_record *record, const char *wish, char **words, char *why,
                               size_t size);
void wi__fresh_record_keep(wi__fresh_record *record);
void wi__fresh_record_discard(wi__fresh_record *record);
void wi__fresh_record_close(wi__fresh_record *record);

/** Note how and when the process ended, and what its grace period came to, if it is the one that measured. */
void wi__fresh_record_end(const wi__fresh_record *record, uint32_t pid, int wait_status,
                          const wi__grace_note *grace);
/** Is it still at its path? */
int wi__fresh_record_is_there(const wi__fresh_record *record);

#endif
