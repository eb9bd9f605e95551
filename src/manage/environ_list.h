/*
 * Lists of environment variables: what `environ` was at a moment, with copies of its strings.
 *
 * A string is kept as the pointer that stood in `environ`, which the program may know, and as a copy, for strings that
 * somebody has freed or written over meanwhile.
 */
#ifndef WITHIN_MANAGE_ENVIRON_LIST_H
#define WITHIN_MANAGE_ENVIRON_LIST_H

#include <stddef.h>

typedef struct wi__environ_entry {
    char *string; /* "NAME=value"; not to be read unless somebody vouches for it */
    const char *copy;
    int set_aside; /* it left `environ` by a block of ours, and nobody else has freed it */
} wi__environ_entry;

typedef struct wi__environ_list {
    size_t count;
    int was_null; /* `environ` itself was NULL */
    wi__environ_entry entries[];
} wi__environ_list;

/** Is this string a value of that name? `name` may be longer: up to a '=' or its end. */
int wi__environ_names(const char *string, const char *name);

/** `environ` now: one block of memory, to be freed, that has its copies in it. NULL without memory. */
wi__environ_list *wi__environ_list_now(void);

/**
 * What became of `base` in `changed`, done to `onto` instead: the variables that differ between the first two are
 * those of `changed`, all others those of `onto`.
 *
 * @return a list of its own, as by wi__environ_list_now.
 */
wi__environ_list *wi__environ_list_rebase(const wi__environ_list *base,
                                          const wi__environ_list *changed,
                                          const wi__environ_list *onto);

#endif
