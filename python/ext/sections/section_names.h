/*
 * Names of sections: from a str to what the record finds a path by.
 *
 * The first 4,096 different names have an identity that is good for the life of the process, which is found
 * without hashing when the same str object comes again. Later ones are found by their text at every call.
 */
#ifndef WITHIN_EXT_SECTION_NAMES_H
#define WITHIN_EXT_SECTION_NAMES_H

#include "module.h"

/** What a name is to the record. */
typedef struct within_name {
    const void *site; /* its identity; NULL: it has none */
    const char *text; /* UTF-8 without '\0'; kept by `owner` if there is one, else for good */
    PyObject *owner;  /* a new reference, or NULL */
} within_name;

enum { WITHIN_CACHED_NAMES = 256 };

/** The strings used last, by their address; each is a reference, so that no other has it. */
typedef struct within_cached_name {
    PyObject *str;
    const void *site;
    const char *text;
} within_cached_name;
extern within_cached_name within_cached_names[WITHIN_CACHED_NAMES];

static inline within_cached_name *within_cached_name_of(PyObject *str) {
    return &within_cached_names[((uintptr_t)str >> 4) % WITHIN_CACHED_NAMES];
}

/** Look up one that is not cached. */
int within_find_name(PyObject *str, within_name *name);

/** Look up a name, a str and of no subclass. 0, or -1 with an error set. */
static inline int within_name_of(PyObject *str, within_name *name) {
    const within_cached_name *cached = within_cached_name_of(str);
    if (cached->str != str) return within_find_name(str, name);
    *name = (within_name){cached->site, cached->text, NULL};
    return 0;
}

#endif
