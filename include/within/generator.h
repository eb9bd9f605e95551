/*
 * Generator managers: enter and exit written as one function, with a wi_yield where the body runs.
 *
 *     wi_generator(text_file, const char *path; FILE *stream) {
 *         wi_begin;
 *         self->stream = wi_check_null(fopen(self->path, "w"), "open %s", self->path);
 *         wi_yield;
 *         fclose(self->stream);
 *         if (error) remove(self->path);
 *     }
 *
 *     within (file, wi_make(text_file, .path = "ber.csv")) { fputs("snr,ber\n", file->stream); }
 *
 * Before the yield is enter, after it is exit. `self` holds the members that were named in the macro;
 * locals do not survive the yield. After it, `reason` says why the block ended and `error` is the error
 * passing through, or NULL. One wi_yield to a function: none or two are compile errors, and one that is
 * not reached, or reached twice, raises WI_USAGE_ERROR. Cost: two calls, no allocation.
 *
 * wi_suppressing_generator makes one that may suppress: set self->verdict = WI_SUPPRESS after the yield.
 */
#ifndef WITHIN_GENERATOR_H
#define WITHIN_GENERATOR_H

#include <within/block.h>

WI__BEGIN_DECLS

/** Declare a generator manager and begin its body: wi_generator(type, members) { … }. */
#define wi_generator(type, ...)                                                                    \
    WI__GENERATOR_TYPE(type, wi_protocol, __VA_ARGS__)                                             \
    WI__GENERATOR_CALLS(type, WI_PROPAGATE)                                                        \
    static const wi_protocol type##_protocol WI__UNUSED = {#type, type##_enter, type##_exit,       \
                                                           NULL};                                  \
    WI__GENERATOR_BODY(type)

/** The same for one that may suppress errors, by setting self->verdict = WI_SUPPRESS. */
#define wi_suppressing_generator(type, ...)                                                        \
    WI__GENERATOR_TYPE(type, wi_suppressing_protocol, __VA_ARGS__; wi_verdict verdict)             \
    WI__GENERATOR_CALLS(type, self->verdict)                                                       \
    static const wi_suppressing_protocol type##_protocol WI__UNUSED = {                            \
        {#type, type##_enter, type##_exit, NULL}, 1};                                              \
    WI__GENERATOR_BODY(type)

/** The first line of a generator. */
#define wi_begin                                                                                   \
    if (self->wi__state == WI__YIELDED) goto wi__resume

/** Where the block's body runs. */
#define wi_yield                                                                                   \
    do {                                                                                           \
        if (self->wi__state != WI__FRESH) wi__generator_yielded_twice(__func__);                   \
        self->wi__state = WI__YIELDED;                                                             \
        return;                                                                                    \
    wi__resume:                                                                                    \
        self->wi__state = WI__RESUMED;                                                             \
    } while (0)

/* ---- behind the macros ---- */

typedef enum wi__progress { WI__FRESH, WI__YIELDED, WI__RESUMED } wi__progress;

WI__NORETURN WI_API void wi__generator_yielded_twice(const char *function);
WI__NORETURN WI_API void wi__generator_did_not_yield(const char *type);

#define WI__GENERATOR_TYPE(type, protocol_type, ...)                                               \
    typedef struct type {                                                                          \
        const protocol_type *protocol;                                                             \
        __VA_ARGS__;                                                                               \
        wi__progress wi__state;                                                                    \
    } type;                                                                                        \
    WI__UNUSED static void type##_body(type *self, wi_reason reason, const wi_error *error);

#define WI__GENERATOR_CALLS(type, answer)                                                          \
    WI__UNUSED static void type##_enter(void *manager) {                                           \
        type *self = (type *)manager;                                                              \
        self->wi__state = WI__FRESH;                                                               \
        type##_body(self, WI_END, NULL);                                                           \
        if (self->wi__state != WI__YIELDED) wi__generator_did_not_yield(#type);                    \
    }                                                                                              \
    WI__UNUSED static wi_verdict type##_exit(void *manager, wi_reason reason,                      \
                                             const wi_error *error) {                              \
        type *self WI__UNUSED = (type *)manager;                                                   \
        type##_body(self, reason, error);                                                          \
        return answer;                                                                             \
    }

#define WI__GENERATOR_BODY(type)                                                                   \
    static void type##_body(type *self, wi_reason reason WI__UNUSED,                               \
                            const wi_error *error WI__UNUSED)

WI__END_DECLS

#endif
