/* wi_closing: any handle that a function closes. */
#include <within/closing.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__clang__)
#define PASSES_ANY_POINTER __attribute__((no_sanitize("function")))
#else
#define PASSES_ANY_POINTER
#endif

/* Managers made by wi_closing begin so; their handle follows, with a type that only the program knows. */
typedef struct manager {
    const wi_protocol *protocol;
    wi__closing closing;
} manager;

static void closing_enter(void *self) {
    wi__closing *closing = &((manager *)self)->closing;
    int is_pointer = (closing->kind & ~WI__CLOSING_TELLS) == WI__CLOSES_POINTER;
    if (is_pointer && !closing->handle.pointer)
        wi_raise(WI_VALUE_ERROR, "%s is NULL: there is nothing to close", closing->what);
    if (!is_pointer && closing->handle.number < 0)
        wi_raise(WI_VALUE_ERROR, "%s is %jd: there is nothing to close", closing->what,
                 (intmax_t)closing->handle.number);
    closing->pid = getpid();
    closing->holding = wi_hold("handle", "%s", closing->what);
}

/*
 * The function has the type that the program's compiler saw: a pointer to any object, int or long. Pointers to
 * objects are all passed alike on the processors that this runs on, which clang's sanitizer does not know.
 */
PASSES_ANY_POINTER static int call(const wi__closing *closing) {
    void (*close)(void) = closing->close;
    void *pointer = closing->handle.pointer;
    intptr_t number = closing->handle.number;
    switch (closing->kind) {
    case WI__CLOSES_POINTER: ((void (*)(void *))close)(pointer); break;
    case WI__CLOSES_INT: ((void (*)(int))close)((int)number); break;
    case WI__CLOSES_LONG: ((void (*)(intptr_t))close)(number); break;
    case WI__CLOSES_POINTER | WI__CLOSING_TELLS: return ((int (*)(void *))close)(pointer);
    case WI__CLOSES_INT | WI__CLOSING_TELLS: return ((int (*)(int))close)((int)number);
    default: return ((int (*)(intptr_t))close)(number);
    }
    return 0;
}

static wi_verdict closing_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi__closing *closing = &((manager *)self)->closing;
    wi_let_go(closing->holding);
    if (closing->pid != getpid()) return WI_PROPAGATE;
    errno = 0;
    int result = call(closing), errnum = errno;
    if (result == -1 && errnum) wi_raise_errno(errnum, "%s(%s)", closing->name, closing->what);
    if (result) wi_raise(WI_ERROR, "%s(%s): it returned %d", closing->name, closing->what, result);
    return WI_PROPAGATE;
}

static void closing_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const manager *)self)->closing.what);
}

const wi_protocol wi__closing_protocol = {"closing", closing_enter, closing_exit, closing_describe};
