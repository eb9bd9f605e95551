/*
 * The trees of all regions, merged into one by the names on their paths.
 */
#ifndef WITHIN_RECORD_MERGE_H
#define WITHIN_RECORD_MERGE_H

#include "record/profile.h"
#include "record/reader.h"

/** Fill the profile's paths, open scopes and threads. 0 without memory; what is there is to be released. */
int wi__merge(wi__reader *reader, wi__profile *profile);

#endif
