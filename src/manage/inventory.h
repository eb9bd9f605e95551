/*
 * What there is more of than before, by name: open files, kinds of objects, mappings.
 *
 * Listings name what a counter counts: descriptors by their path. What they list is taken away at the begin and added
 * at the end; what is left is the difference. All memory is taken and touched when an inventory is made, so that it
 * is in neither.
 *
 * Life cycle: wi__inventory_new, wi__inventory_begin, wi__inventory_end, wi__inventory_text, wi__inventory_free.
 */
#ifndef WITHIN_MANAGE_INVENTORY_H
#define WITHIN_MANAGE_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

#include <within/macros.h>

#include "manage/counters.h"

WI__BEGIN_DECLS

enum { WI__LISTINGS = 16 }; /* that there is room for */

typedef struct wi__inventory wi__inventory;

/** A way to list what a counter counts. */
typedef struct wi__listing {
    const char *title;           /* "mappings" */
    const char *const *counters; /* that it explains: their `many`, ended by NULL */
    /* List all with wi__inventory_count. @return 0 if that cannot be done at this moment. It takes milliseconds, may
     * take the counters' lock, and is called without it; nothing that it takes may be kept. */
    int (*take)(wi__inventory *inventory);
} wi__listing;

/** Add a listing, for the process's life; one of this title is replaced. @param listing  borrowed for ever. */
WI_API void wi__listing_add(const wi__listing *listing);

/** There are `count` of this name, of so many bytes; called again for a name, it adds up. Bytes are 0 where only the
 *  count matters, and the count is 0 where only they do. Names beyond 4,096 are left out. */
WI_API void wi__inventory_count(wi__inventory *inventory, const char *name, int64_t count,
                                int64_t bytes);
/** There is one of this name, and those whose names differ in numbers only are the same: "worker-N". */
WI_API void wi__inventory_count_alike(wi__inventory *inventory, const char *name);

/** An inventory of what a counter counts; NULL without memory. */
wi__inventory *wi__inventory_new(const wi__counter *counter);
void wi__inventory_free(wi__inventory *inventory);

void wi__inventory_begin(wi__inventory *inventory);
void wi__inventory_end(wi__inventory *inventory);

/**
 * What there is more of, a line each: "mappings: +8.4 MB anonymous".
 *
 * Of each listing that could be taken twice the five largest, without those below a twentieth of the first; "" if
 * there is nothing. Lines that have no room are left out.
 */
void wi__inventory_text(const wi__inventory *inventory, char *text, size_t size);

WI__END_DECLS

#endif
