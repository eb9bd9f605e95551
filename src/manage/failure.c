/* Failures: filled in, put in words, raised. */
#include "manage/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int wi__fail(wi__failure *failure, const wi_error_type *kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    failure->kind = kind;
    failure->errnum = 0;
    return -1;
}

int wi__fail_errno(wi__failure *failure, int errnum, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    failure->kind = wi_error_type_of_errno(errnum);
    failure->errnum = errnum;
    return -1;
}

void wi__failure_text(const wi__failure *failure, char *text, size_t size) {
    char reason[128];
    if (failure->errnum)
        snprintf(text, size, "%s: %s", failure->text,
                 strerror_r(failure->errnum, reason, sizeof reason));
    else
        snprintf(text, size, "%s", failure->text);
}

void wi__raise_failure(const wi__failure *failure, const char *format, ...) {
    char what[5120];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (failure->errnum) wi_raise_errno(failure->errnum, "%s: %s", what, failure->text);
    wi_raise(failure->kind, "%s: %s", what, failure->text);
}
