/*
 * Memory that `environ` may point to: strings and arrays that are used again and never freed.
 *
 * Whoever asked getenv, and other threads, may hold pointers into them for ever. They are used again when they stand
 * neither in `environ` nor in what an open block is to restore, so that their number does not grow with the run's
 * length. Sizes are powers of two: of each size there are as many as were needed at once. (glibc keeps every string
 * that setenv was ever given, which a loop of a million values makes 60 MB.)
 */
#ifndef WITHIN_MANAGE_ENVIRON_MEMORY_H
#define WITHIN_MANAGE_ENVIRON_MEMORY_H

#include <stddef.h>

#include "manage/environ_list.h"

/** Strings are about to be made: see first which ones are in use. Call wi__environ_in_use for open blocks' lists then. */
void wi__environ_find_unused(void);
void wi__environ_in_use(const wi__environ_list *list);
/** "NAME=value", or the whole string if the value is NULL; in use from now on. NULL without memory. */
char *wi__environ_string(const char *name, const char *value);
/** Is this one of those strings? */
int wi__environ_is_ours(const char *string);

/** An array for so many strings and a NULL, that is not `environ`. NULL without memory. */
char **wi__environ_array(size_t count);
/** Have memory for two such arrays, so that the next one is certain. 0 without memory. */
int wi__environ_reserve(size_t count);

#endif
