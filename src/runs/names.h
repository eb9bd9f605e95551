/*
 * A table of what has a name: found by any thread without a lock, in some tens of nanoseconds, and never taken out.
 *
 * A table that has become too small stays until the end, for those who are reading it.
 */
#ifndef WITHIN_RUNS_NAMES_H
#define WITHIN_RUNS_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* The first member of whatever is in a table. */
typedef struct wi__named {
    const char *name;
    size_t length;
    uint64_t hash;
} wi__named;

/* All zero: it is empty. */
typedef struct wi__names {
    struct wi__names_slots *slots;
    size_t count;
} wi__names;

/** A name as it is looked for; it borrows the text. */
wi__named wi__named_of(const char *name);
/** What has this name; NULL if nothing has. */
void *wi__names_find(const wi__names *names, const wi__named *wanted);
/** Add what is not in there, one thread at a time. @return 0: there is no memory. */
int wi__names_add(wi__names *names, wi__named *named);
/** Free the table, and each thing in it by `release`. */
void wi__names_release(wi__names *names, void (*release)(void *named));

#endif
