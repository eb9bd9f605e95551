/*
 * Errors: what went wrong, where, because of what, and which blocks it passed on its way out.
 *
 * Life cycle: wi_raise makes an error and carries it to the nearest wi_catch, wi_suppress or wi_call.
 * In a wi_catch body the error is borrowed and dies with the body. wi_call hands it to its caller, who
 * ends it with wi_error_free, wi_reraise or wi_raise_from.
 */
#ifndef WITHIN_ERROR_H
#define WITHIN_ERROR_H

#include <stddef.h>

#include <within/macros.h>

WI__BEGIN_DECLS

/** A place in the source. */
typedef struct wi_place {
    const char *file;
    const char *function;
    int line;
} wi_place;

/**
 * A kind of error. Kinds form a tree whose root is WI_ERROR; catching a kind catches all below it.
 * WI_INTERRUPTED stands beside the tree: a signal asks the program to end (wi_interrupts), and what catches
 * every WI_ERROR lets it pass.
 */
typedef struct wi_error_type {
    const char *name;
    const struct wi_error_type *parent; /* NULL for WI_ERROR and WI_INTERRUPTED */
} wi_error_type;

/* The library's own kinds: X(name, parent, the errno values that become it). */
#define WI__ERROR_TYPES(X)                                                                         \
    X(WI_OS_ERROR, WI_ERROR)                                                                       \
    X(WI_FILE_NOT_FOUND, WI_OS_ERROR)                                                              \
    X(WI_FILE_EXISTS, WI_OS_ERROR)                                                                 \
    X(WI_PERMISSION_ERROR, WI_OS_ERROR)                                                            \
    X(WI_IS_A_DIRECTORY, WI_OS_ERROR)                                                              \
    X(WI_NOT_A_DIRECTORY, WI_OS_ERROR)                                                             \
    X(WI_DISK_FULL, WI_OS_ERROR)                                                                   \
    X(WI_BROKEN_PIPE, WI_OS_ERROR)                                                                 \
    X(WI_BUSY_ERROR, WI_OS_ERROR)                                                                  \
    X(WI_TIMEOUT_ERROR, WI_OS_ERROR)                                                               \
    X(WI_MEMORY_ERROR, WI_ERROR)                                                                   \
    X(WI_VALUE_ERROR, WI_ERROR)                                                                    \
    X(WI_LOOKUP_ERROR, WI_ERROR)                                                                   \
    X(WI_ARITHMETIC_ERROR, WI_ERROR)                                                               \
    X(WI_FLOATING_POINT_ERROR, WI_ARITHMETIC_ERROR)                                                \
    X(WI_DATA_ERROR, WI_ERROR)  /* what was read is damaged, or not what it should be */           \
    X(WI_USAGE_ERROR, WI_ERROR) /* this library was used in a way that cannot work */

extern WI_API const wi_error_type WI_ERROR[1];
extern WI_API const wi_error_type WI_INTERRUPTED[1];
#define WI__DECLARE_TYPE(name, parent) extern WI_API const wi_error_type name[1];
WI__ERROR_TYPES(WI__DECLARE_TYPE)
#undef WI__DECLARE_TYPE

/**
 * Define a kind of error, at file scope: wi_define_error(CONVERGENCE_ERROR, WI_ARITHMETIC_ERROR);
 * The name is then used like the library's own. For a header: wi_declare_error(CONVERGENCE_ERROR);
 */
#define wi_declare_error(name) extern const wi_error_type name[1]
#define wi_define_error(name, parent)                                                              \
    wi_declare_error(name);                                                                        \
    const wi_error_type name[1] = {{#name, parent}}

/** A block that an error passed on its way out, innermost first. */
typedef struct wi_trail_entry {
    const char *manager;   /* the protocol's name: "section" */
    const wi_place *place; /* where the block stands */
    char what[48];         /* what it held, from the protocol's describe: "epoch"; may be empty */
} wi_trail_entry;

typedef struct wi_error wi_error;

/** The kind, never NULL. */
WI_API const wi_error_type *wi_error_kind(const wi_error *error);
/** The message; never NULL. Lives as long as the error. */
WI_API const char *wi_error_message(const wi_error *error);
/** Where it was raised. */
WI_API const wi_place *wi_error_place(const wi_error *error);
/** The errno value that it stands for, or 0. */
WI_API int wi_error_errno(const wi_error *error);
/** The signal that a WI_INTERRUPTED of wi_interrupts tells of, or 0. */
WI_API int wi_error_signal(const wi_error *error);
/** What caused it (wi_raise_from), or NULL. Lives as long as the error. */
WI_API const wi_error *wi_error_cause(const wi_error *error);
/** The error that was being handled when this one was raised, or NULL. Lives as long as the error. */
WI_API const wi_error *wi_error_context(const wi_error *error);
/** How many blocks it passed; entries beyond the first WI_TRAIL_MAX are counted but not kept. */
WI_API size_t wi_error_trail_length(const wi_error *error);
/** The i-th block that it passed, innermost first; NULL when i is not below the length or not kept. */
WI_API const wi_trail_entry *wi_error_trail(const wi_error *error, size_t i);
enum { WI_TRAIL_MAX = 64 };

/** Is the error of this kind, or of one below it? Nonzero for yes; a NULL error is of no kind. */
WI_API int wi_error_is(const wi_error *error, const wi_error_type *type);
/** Is `type` the kind `ancestor`, or below it? */
WI_API int wi_error_type_is(const wi_error_type *type, const wi_error_type *ancestor);
/** The kind that an errno value becomes: ENOENT is WI_FILE_NOT_FOUND; unlisted ones WI_OS_ERROR. */
WI_API const wi_error_type *wi_error_type_of_errno(int errnum);
/** End an error that wi_call handed out, with its cause and context. NULL does nothing. */
WI_API void wi_error_free(wi_error *error);
/**
 * Write an error as text, ended by '\0': its trail, kind, message and place, and the errors behind it.
 *
 * @param[out] buffer  array of shape (size,); may be NULL when size is 0.
 * @return the length of the whole text in bytes, which is cut to size - 1.
 */
WI_API size_t wi_error_format(const wi_error *error, char *buffer, size_t size);

/**
 * Raise an error: release every block up to the nearest handler, innermost first, and go there.
 * Without a handler: release every block of the thread, print the error and end with status 1, or of
 * a WI_INTERRUPTED by its signal.
 *
 * wi_raise(WI_VALUE_ERROR, "snr_db: %g is not finite", snr_db);
 *
 * Never returns. Never fails: without memory the message may be cut. Must not cross C++ frames that
 * have destructors (they would not run), an OpenMP region or a thread's start: use wi_call there.
 */
#define wi_raise(type, ...) wi__raise(WI__HERE, type, __VA_ARGS__)
/** Raise an error because of another. What wi_call handed out is taken over; any other is borrowed. */
#define wi_raise_from(cause, type, ...) wi__raise_from(WI__HERE, cause, type, __VA_ARGS__)
/** Raise the error for an errno value; the message gains the system's text. */
#define wi_raise_errno(errnum, ...) wi__raise_errno(WI__HERE, errnum, __VA_ARGS__)
/**
 * Raise the same error again, its place and trail kept. What wi_call handed out is taken over; any other
 * is borrowed: the error of a wi_catch body, and its causes and contexts.
 */
WI__NORETURN WI_API void wi_reraise(const wi_error *error);

/**
 * Turn error codes into errors. Each gives the checked value back, evaluated once:
 *
 * int fd = wi_check_errno(open(path, O_RDONLY), "open %s", path);    -1 raises errno
 * FILE *f = wi_check_null(fopen(path, "r"), "open %s", path);        NULL raises errno
 * wi_check_code(pthread_mutex_lock(&m), "lock the queue");           a nonzero errno value raises it
 */
#define wi_check_errno(result, ...)                                                                \
    WI__CHECK(WI__JOIN(wi__result_, __COUNTER__), result, == -1, wi__errno(), __VA_ARGS__)
#define wi_check_null(pointer, ...)                                                                \
    WI__CHECK(WI__JOIN(wi__pointer_, __COUNTER__), pointer, == NULL, wi__errno(), __VA_ARGS__)
#define wi_check_code(code, ...) WI__CHECK_CODE(WI__JOIN(wi__code_, __COUNTER__), code, __VA_ARGS__)

/**
 * Call a function and catch what it raises, with no setjmp in the caller: hot code keeps its speed,
 * and locals need no volatile.
 *
 * @param[out] error  the error, owned by the caller, or NULL if none was raised. If `error` itself is
 *                    NULL, an error is suppressed, and counted as such in the record.
 * @return 1 if fn returned, 0 if it raised.
 */
WI_API int wi_call(void (*fn)(void *arg), void *arg, wi_error **error);

/* Behind the macros. */
#define WI__CHECK(value, expression, failed, errnum, ...)                                          \
    (__extension__({                                                                               \
        __typeof__(expression) value = (expression);                                               \
        if (WI__UNLIKELY(value failed)) wi__raise_errno(WI__HERE, errnum, __VA_ARGS__);            \
        value;                                                                                     \
    }))
#define WI__CHECK_CODE(value, code, ...)                                                           \
    (__extension__({                                                                               \
        int value = (code);                                                                        \
        if (WI__UNLIKELY(value != 0)) wi__raise_errno(WI__HERE, value, __VA_ARGS__);               \
        value;                                                                                     \
    }))
WI__NORETURN WI_API void wi__raise(const wi_place *place, const wi_error_type *type,
                                   const char *format, ...) WI__PRINTF(3, 4);
WI__NORETURN WI_API void wi__raise_from(const wi_place *place, const wi_error *cause,
                                        const wi_error_type *type, const char *format, ...)
    WI__PRINTF(4, 5);
WI__NORETURN WI_API void wi__raise_errno(const wi_place *place, int errnum, const char *format, ...)
    WI__PRINTF(3, 4);
WI_API int wi__errno(void);
/* From now on the normal end of this process is its end by the signal: as the parent of who sent it expects. */
WI_API void wi__end_by_signal(int signal);

WI__END_DECLS

#endif
