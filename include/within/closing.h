/*
 * Anything that has a function to close it, closed when its block ends.
 *
 *     within (pipe, wi_closing(wi_check_null(popen("sort", "w"), "start sort"), pclose)) {
 *         fputs("b\na\n", pipe->handle);
 *     }
 */
#ifndef WITHIN_CLOSING_H
#define WITHIN_CLOSING_H

#include <stdint.h>
#include <sys/types.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/* How to call the function: what it takes, and whether its result tells of failure. */
typedef enum wi__closing_kind {
    WI__CLOSES_POINTER,
    WI__CLOSES_INT,
    WI__CLOSES_LONG,
    WI__CLOSING_TELLS = 4
} wi__closing_kind;

typedef struct wi__closing {
    const char *name; /* as the program wrote them: "pclose", "popen(…)" */
    const char *what;
    void (*close)(void);
    union {
        intptr_t number;
        void *pointer;
    } handle;
    int kind;
    pid_t pid;
    wi_holding holding;
} wi__closing;

extern WI_API const wi_protocol wi__closing_protocol;

WI__END_DECLS

/**
 * A manager for a handle that a function closes; `handle` of it is the handle, with its own type.
 *
 * @param resource  a pointer, or an int or long as descriptors and identifiers are. Evaluated once.
 * @param release   a function of that alone, which returns nothing or an int: any but 0 is an error.
 * @raise on enter WI_VALUE_ERROR for NULL or a negative number, which is what failed opens give: wrap the call in
 *        wi_check_null or wi_check_errno to have the reason told.
 * @raise on exit if the function does not return 0: with errno's kind and text if it returned -1 and set errno,
 *        else WI_ERROR. The handle is taken for closed in any case.
 *
 * In a child forked inside the block the function is not called: what it closes, flushes or tells a server is the
 * parent's.
 *
 * Threads: as the handle. Cost: a call through a pointer, and the line in the ledger, some 100 ns.
 */
#ifdef __cplusplus
#define wi_closing(resource, release) wi__closing_of(#release, #resource, resource, release)

template <class Handle> struct wi__closing_manager {
    const wi_protocol *protocol;
    wi__closing closing;
    Handle handle;
};
template <class Handle> struct wi__closes {
    enum { kind = sizeof(Handle) > sizeof(int) ? WI__CLOSES_LONG : WI__CLOSES_INT };
};
template <class Object> struct wi__closes<Object *> {
    enum { kind = WI__CLOSES_POINTER };
};
template <class Result> struct wi__tells;
template <> struct wi__tells<void> {
    enum { kind = 0 };
};
template <> struct wi__tells<int> {
    enum { kind = WI__CLOSING_TELLS };
};
template <class Handle, class Result, class Taken>
wi__closing_manager<Handle> wi__closing_of(const char *name, const char *what, Handle handle,
                                           Result (*release)(Taken)) {
    static_assert(sizeof(Handle) <= sizeof(intptr_t), "wi_closing: a pointer, an int or a long");
    static_assert(sizeof(decltype(release(handle), 0)), "the function takes the handle");
    wi__closing closing = {name,
                           what,
                           reinterpret_cast<void (*)(void)>(release),
                           {(intptr_t)handle},
                           int(wi__closes<Handle>::kind) | int(wi__tells<Result>::kind),
                           0,
                           {NULL, 0}};
    return {&wi__closing_protocol, closing, handle};
}
#else
#define wi_closing(resource, release)                                                              \
    (__extension__({                                                                               \
        _Static_assert(sizeof(__typeof__(resource)) <= sizeof(intptr_t),                           \
                       "wi_closing: the handle is a pointer, an int or a long");                   \
        _Static_assert(WI__GIVES(int, release, resource) || WI__GIVES(void, release, resource),    \
                       "wi_closing: the function returns an int or nothing");                      \
        struct {                                                                                   \
            const wi_protocol *protocol;                                                           \
            wi__closing closing;                                                                   \
            __typeof__(resource) handle;                                                           \
        } wi__made = {                                                                             \
            &wi__closing_protocol,                                                                 \
            {#release,                                                                             \
             #resource,                                                                            \
             (void (*)(void))(release),                                                            \
             {0},                                                                                  \
             WI__CLOSES(resource) | (WI__GIVES(int, release, resource) ? WI__CLOSING_TELLS : 0),   \
             0,                                                                                    \
             {NULL, 0}},                                                                           \
            (resource)};                                                                           \
        wi__made.closing.handle.number = (intptr_t)wi__made.handle;                                \
        wi__made;                                                                                  \
    }))
#define WI__GIVES(type, release, resource)                                                         \
    __builtin_types_compatible_p(__typeof__((release)(resource)), type)
#define WI__CLOSES(resource)                                                                       \
    (__builtin_classify_type(resource) == 5 /* pointer */ ? WI__CLOSES_POINTER                     \
     : sizeof(__typeof__(resource)) > sizeof(int)         ? WI__CLOSES_LONG                        \
                                                          : WI__CLOSES_INT)
#endif

#endif
