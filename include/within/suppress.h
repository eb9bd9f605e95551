/*
 * Blocks that let chosen errors go no further, and count each one in the record.
 */
#ifndef WITHIN_SUPPRESS_H
#define WITHIN_SUPPRESS_H

#include <within/block.h>

WI__BEGIN_DECLS

enum { WI_SUPPRESS_MAX = 8 };

typedef struct wi_suppress {
    const wi_suppressing_protocol *protocol;
    const wi_error_type *types[WI_SUPPRESS_MAX]; /* those that are not NULL */
} wi_suppress;

/**
 * Suppress errors of the named kinds, at most WI_SUPPRESS_MAX:
 *
 * within (wi_suppress(WI_FILE_NOT_FOUND)) { remove_file("ber.csv.tmp"); }
 *
 * The block ends where the error was raised; the program goes on after it. Nothing is suppressed
 * unseen: the report lists kind, message, place and count.
 */
#ifdef __cplusplus
#define wi_suppress(...) (wi_suppress{&wi__suppress_protocol, {__VA_ARGS__}})
#else
#define wi_suppress(...) ((wi_suppress){.protocol = &wi__suppress_protocol, .types = {__VA_ARGS__}})
#endif

extern WI_API const wi_suppressing_protocol wi__suppress_protocol;

WI__END_DECLS

#endif
