/*
 * What MLflow takes as the name of a metric, a parameter or a tag, and as its value.
 *
 * Names are letters, digits and " _-.:/", at most 250 characters, and a path that is in its shortest form. Others are
 * changed: what is not taken becomes '_', and the end ".1a2b3c4d", a checksum of the whole name, keeps two names two.
 */
#ifndef WITHIN_CLI_PUSH_NAMES_H
#define WITHIN_CLI_PUSH_NAMES_H

#include <stddef.h>

enum {
    WI__REMOTE_NAME = 250, /* characters */
    WI__REMOTE_PARAM = 6000,
    WI__REMOTE_TAG = 8000,
    WI__REMOTE_NAME_BYTES = 4 * WI__REMOTE_NAME + 1
};

/** The name that a name has on the server. @return 0 if it is the same. */
int wi__remote_name(const char *name, char remote[WI__REMOTE_NAME_BYTES]);

/**
 * A text as JSON can hold it: what is no UTF-8 becomes U+FFFD, and it ends after `most` characters.
 *
 * @param[out] changed  set to 1 if it is not the same; else left alone. May be NULL.
 * @return the caller's, to free. @raise WI_MEMORY_ERROR
 */
char *wi__remote_text(const char *text, size_t most, int *changed);

#endif
