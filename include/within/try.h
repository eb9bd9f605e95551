/*
 * Handling errors where they land.
 *
 *     wi_try {
 *         read_table(path);
 *     } wi_catch (WI_FILE_NOT_FOUND, error) {
 *         use_defaults();
 *     } wi_finally {
 *         tidy_up();
 *     }
 *
 * Clauses are looked at in order; the first whose kind fits is taken. wi_finally, at most one and last,
 * runs after the body and after a catch, and before an error goes on that no clause took or that a catch
 * raised. A return or goto out of the try skips it: what must be released belongs in a block.
 * continue ends a body or a clause; a break in one is a compile error.
 *
 * A wi_try is a setjmp: locals that the body changes and the handlers read must be volatile, and a hot
 * loop in the same function is slower. wi_call has neither drawback.
 */
#ifndef WITHIN_TRY_H
#define WITHIN_TRY_H

#include <within/block.h>
#include <within/error.h>

WI__BEGIN_DECLS

#define wi_try WI__TRY(WI__JOIN(wi__try_, __COUNTER__))

/** Take errors of a kind: wi_catch (type, name) { … }. `name` is a const wi_error *, for the body. */
#define wi_catch(type, name) WI__CATCH(WI__JOIN(wi__catch_, __COUNTER__), type, name)

#define wi_finally WI__FINALLY(WI__JOIN(wi__finally_, __COUNTER__))

typedef enum wi__phase { WI__FRESH_TRY, WI__BODY, WI__CATCHING, WI__FINALLY, WI__OVER } wi__phase;

typedef struct wi__attempt {
    wi__landing landing;
    wi__phase phase;
} wi__attempt;

WI_API wi__attempt *wi__try_begin(wi__attempt *attempt);
/* Move to the next phase; 0 when there is none left. Raises the error that no clause took. */
WI_API int wi__try_next(wi__attempt *attempt);
/* After the last phase, or on the way out by return, goto, cancel or a C++ exception. */
WI_API void wi__try_leave(wi__attempt *attempt);
/* Of the try whose clauses are being looked at: does its error fit, which is it, is it over? */
WI_API int wi__catches(const wi_error_type *type);
WI_API const wi_error *wi__caught(void);
WI_API int wi__in_finally(void);

WI__END_DECLS

#define WI__TRY(id) WI__TRY_AS(id)
/* clang-format off */
#define WI__TRY_AS(id)                                                                             \
    for (wi__attempt id __attribute__((cleanup(wi__try_leave))),                                   \
         *id##_begun WI__UNUSED = wi__try_begin(&id);                                              \
         id.phase != WI__OVER;)                                                                    \
    id##_next:                                                                                     \
        for (; wi__try_next(&id);)                                                                 \
            if (id.phase == WI__BODY && _setjmp(id.landing.env) == 0)                              \
                for (;; wi__break_leaves_a_block())                                                \
                    for (;; (__extension__({ goto id##_next; })))

/* A clause that runs once: continue ends it, and only a stray break reaches the call. */
#define WI__ONCE(id, declaration)                                                                  \
    for (wi__once id##_once = {0}; !id##_once.done;) id##_out:                                     \
        for (; !id##_once.done;)                                                                   \
            for (declaration; !id##_once.done; wi__break_leaves_a_block())                         \
                for (;; (__extension__({                                                           \
                         id##_once.done = 1;                                                       \
                         goto id##_out;                                                            \
                     })))
/* clang-format on */

#define WI__FINALLY(id) WI__FINALLY_AS(id)
#define WI__FINALLY_AS(id) else if (wi__in_finally()) WI__ONCE(id, )

#define WI__CATCH(id, type, name) WI__CATCH_AS(id, type, name)
#define WI__CATCH_AS(id, type, name)                                                               \
    else if (wi__catches(type)) WI__ONCE(id, const wi_error *name WI__UNUSED = wi__caught())

#endif
