/*
 * The listings that there are: those of every process are here from the start, others are added.
 */
#ifndef WITHIN_MANAGE_LISTINGS_H
#define WITHIN_MANAGE_LISTINGS_H

#include "manage/inventory.h"

extern const wi__listing wi__descriptor_listing; /* by path */
extern const wi__listing wi__thread_listing;     /* by name */
extern const wi__listing wi__mapping_listing;    /* resident bytes, by what is mapped */
extern const wi__listing wi__allocator_listing;  /* malloc's statistics; takes none without glibc */
extern const wi__listing wi__hdf5_listing;       /* by kind of handle */

/** The listing at a place, or NULL. */
const wi__listing *wi__listing_at(int place);
int wi__listing_explains(const wi__listing *listing, const wi__counter *counter);

#endif
