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

/** Look a name up. 0, or -1 with an error set. */
int within_name_of(PyObject *str, within_name *name);

#endif
