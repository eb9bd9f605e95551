/* Raising errors, and calling a function that may raise. */
#include <errno.h>
#include <stdarg.h>

#include "chain.h"
#include "error.h"

int wi__errno(void) { return errno; }

/* An error that wi_call has handed out is taken over; any other is borrowed, and kept. */
static wi_error *owned(const wi_error *error) {
    if (!error->handed_out) return wi__error_keep(error);
    wi_error *taken = (wi_error *)error;
    taken->handed_out = 0;
    return taken;
}

/* Start an error: the one being handled is its context. */
#define NEW_ERROR(error, place, type, format)                                                      \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    wi_error *error = wi__error_new(place, type, format, arguments);                               \
    va_end(arguments);                                                                             \
    error->context = wi__error_keep(wi__self.handling)

void wi__raise(const wi_place *place, const wi_error_type *type, const char *format, ...) {
    NEW_ERROR(error, place, type, format);
    wi__unwind(error);
}

void wi__raise_from(const wi_place *place, const wi_error *cause, const wi_error_type *type,
                    const char *format, ...) {
    NEW_ERROR(error, place, type, format);
    if (cause) error->cause = owned(cause);
    wi__unwind(error);
}

void wi__raise_errno(const wi_place *place, int errnum, const char *format, ...) {
    NEW_ERROR(error, place, wi_error_type_of_errno(errnum), format);
    wi__error_append_errno(error, errnum);
    wi__unwind(error);
}

void wi__raise_signal(const wi_place *place, int signal, const char *format, ...) {
    NEW_ERROR(error, place, WI_INTERRUPTED, format);
    error->signal = signal;
    wi__unwind(error);
}

void wi_reraise(const wi_error *error) {
    if (!error) wi_raise(WI_USAGE_ERROR, "wi_reraise: there is no error to raise again");
    wi__unwind(owned(error));
}

int wi_call(void (*fn)(void *arg), void *arg, wi_error **error) {
    wi__landing landing __attribute__((cleanup(wi__disarm)));
    wi__arm(&landing, &wi__handler_frame, NULL);
    if (_setjmp(landing.env) == 0) {
        fn(arg);
        if (error) *error = NULL;
        return 1;
    }
    if (error) {
        *error = landing.error;
        landing.error->handed_out = 1;
    } else {
        wi__suppressed(landing.error);
        wi__error_release(landing.error);
    }
    return 0;
}

wi_mark wi_here(void) {
    if (!wi__self.top) wi__thread_begin();
    wi_mark mark = {wi__self.top};
    return mark;
}

void wi_longjmp(jmp_buf env, int value, wi_mark mark) {
    const wi__frame *end = wi__unmarked(mark.frame);
    for (wi__frame *top; (top = wi__unmarked(wi__self.top)) != end;) {
        if (top->manager == &wi__base_frame) break;
        wi__frame block = wi__take_off(top);
        wi__exit_left(&block);
    }
    if (wi__unmarked(wi__self.top) == end) wi__self.top = (wi__frame *)mark.frame;
    longjmp(env, value);
}
