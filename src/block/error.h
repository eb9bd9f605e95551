/*
 * Error objects from the inside.
 *
 * An error is shared by reference count: the raise that carries it, the wi_try that handles it, and
 * every error that has it as cause or context each hold one reference.
 */
#ifndef WITHIN_BLOCK_ERROR_H
#define WITHIN_BLOCK_ERROR_H

#include <stdarg.h>

#include <within/block.h>

struct wi_error {
    int references;
    int handed_out; /* one of them is held by the caller of a wi_call */
    int errnum;
    int signal; /* that a WI_INTERRUPTED tells of, or 0 */
    const wi_error_type *type;
    const wi_place *place;
    wi_error *cause;
    wi_error *context;
    size_t trail_length; /* blocks passed; kept are the first trail_capacity of them */
    size_t trail_capacity;
    wi_trail_entry *trail;
    char *long_text; /* the message when it does not fit into text */
    char text[200];
};

/** A new error with one reference. Never NULL: without memory it comes from a small reserve. */
wi_error *wi__error_new(const wi_place *place, const wi_error_type *type, const char *format,
                        va_list arguments);
/** Note the errno value and add the system's text for it to the message. */
void wi__error_append_errno(wi_error *error, int errnum);
/** One more reference, ended by wi__error_release; NULL stays NULL. */
wi_error *wi__error_keep(const wi_error *error);
/** Give one reference back; with the last one the error ends, and what it holds. NULL does nothing. */
void wi__error_release(wi_error *error);
/** Add a block to the trail. */
void wi__error_passed(wi_error *error, const wi_protocol *protocol, const void *manager,
                      const wi_place *place);

#endif
