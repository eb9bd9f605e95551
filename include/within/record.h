/*
 * The record: where sections are measured, in private memory by default or in a file that survives the
 * process, `kill -9` included.
 *
 * `within run -- CMD` and the environment variable WITHIN_RECORD=PATH put it in a file without a call.
 * Nothing here can fail the program except wi_record_open, which is asked for by name.
 */
#ifndef WITHIN_RECORD_H
#define WITHIN_RECORD_H

#include <stdint.h>
#include <stdio.h>

#include <within/error.h>
#include <within/macros.h>

WI__BEGIN_DECLS

/**
 * Move the process's record into a file at `path`. What was measured so far goes with it.
 *
 * @raise WI_FILE_EXISTS if something is there that is no record, or a record of a live process;
 *        WI_DISK_FULL, WI_PERMISSION_ERROR, … if it cannot be made; WI_USAGE_ERROR if the record is in
 *        a file already. The record stays where it was.
 *
 * Threads: call it before others open sections; what they measure during the move may be lost.
 */
WI_API void wi_record_open(const char *path);

/** The file that the record is in, or NULL while it is in memory. Lives as long as the process. */
WI_API const char *wi_record_path(void);

/** Print the report of what this process has measured so far; on stderr if `stream` is NULL. */
WI_API void wi_report(FILE *stream);

enum {
    WI_NAME_MAX = 200
}; /* bytes of a section's name; a longer one is cut, and marked with "…" */

/**
 * What a manager holds, for the ledger of open scopes: after a kill, `within report` lists what was
 * held and since when.
 *
 *     self->holding = wi_hold("file", "%s", path);      in enter
 *     wi_let_go(self->holding);                         in exit, on any thread
 *
 * @param kind  one word, at most 15 bytes kept.
 * @return a handle for wi_let_go; when nothing can be recorded a handle that wi_let_go ignores.
 */
typedef struct wi_holding {
    void *slot;
    uint64_t serial;
} wi_holding;
WI_API wi_holding wi_hold(const char *kind, const char *format, ...) WI__PRINTF(2, 3);
WI_API void wi_let_go(wi_holding holding);

/* Not const: two places that look the same, on one line, must not be merged into one. */
#define WI__SITE                                                                                   \
    (__extension__({                                                                               \
        static wi_place wi__site = {__FILE__, __func__, __LINE__};                                 \
        &wi__site;                                                                                 \
    }))

/* A section's place in the source, and while it is open in the thread's tree. */
typedef struct wi__opened {
    const wi_place *site; /* where the wi_section stands; its address is its identity */
    void *branch;         /* NULL: it is not measured */
    void *node;
    uint64_t start; /* ticks of the clock in use */
} wi__opened;

WI__END_DECLS

/* A literal is an array that the compiler knows; a pointer may be known and differ from call to call. */
#define WI__IS_LITERAL(name) (WI__IS_ARRAY(name) && __builtin_constant_p(name))
#ifdef __cplusplus
template <class Type> struct wi__is_array {
    enum { value = 0 };
};
template <size_t n> struct wi__is_array<const char (&)[n]> {
    enum { value = 1 };
};
#define WI__IS_ARRAY(name) (wi__is_array<decltype((name))>::value)
#else
#define WI__IS_ARRAY(name) (!__builtin_types_compatible_p(__typeof__(name), __typeof__(&*(name))))
#endif

#endif
