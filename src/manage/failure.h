/*
 * What went wrong, in words, told to a caller who has to clean up before it is raised, or may only say it.
 *
 *     if (!content) return wi__fail(failure, WI_DATA_ERROR, "%s is empty", name);
 *     if (fd < 0) return wi__fail_errno(failure, errno, "%s cannot be opened", name);
 */
#ifndef WITHIN_MANAGE_FAILURE_H
#define WITHIN_MANAGE_FAILURE_H

#include <within/error.h>

typedef struct wi__failure {
    const wi_error_type *kind;
    int errnum;      /* or 0 */
    char text[5120]; /* without the system's words for errnum; room for a long path */
} wi__failure;

/** Fill it in. @return -1, for the caller to return. */
int wi__fail(wi__failure *failure, const wi_error_type *kind, const char *format, ...)
    WI__PRINTF(3, 4);
/** The kind is that of the errno value, which the text is followed by. */
int wi__fail_errno(wi__failure *failure, int errnum, const char *format, ...) WI__PRINTF(3, 4);

/** The whole text; at most size bytes with the '\0'. */
void wi__failure_text(const wi__failure *failure, char *text, size_t size);
/** Raise it: "what: why", `what` by format. */
WI__NORETURN void wi__raise_failure(const wi__failure *failure, const char *format, ...)
    WI__PRINTF(2, 3);

#endif
