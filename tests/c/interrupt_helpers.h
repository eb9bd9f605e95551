/* What the tests of wi_interrupts share. */
#ifndef WITHIN_INTERRUPT_HELPERS_H
#define WITHIN_INTERRUPT_HELPERS_H

#include "record_helpers.h"

WI__UNUSED static volatile int caught, caught_signal;

/* Run a function that is to be interrupted: the signal of its WI_INTERRUPTED, 0 if it returned. */
WI__UNUSED static int interruption_of(void (*body)(void *arg), void *arg) {
    wi_error *error;
    if (wi_call(body, arg, &error)) return 0;
    expect_text(wi_error_kind(error)->name, "WI_INTERRUPTED");
    int number = wi_error_signal(error);
    wi_error_free(error);
    return number;
}

#define BODY(name) WI__UNUSED static void name(void *arg WI__UNUSED)

WI__UNUSED static struct sigaction action_of(int number) {
    struct sigaction action;
    expect(sigaction(number, NULL, &action) == 0);
    return action;
}
WI__UNUSED static int is_default(int number) { return action_of(number).sa_handler == SIG_DFL; }
WI__UNUSED static int is_ignored(int number) { return action_of(number).sa_handler == SIG_IGN; }

/* A child that is to end by a signal, told by its wait status. */
WI__UNUSED static void expect_ended_by(void (*body)(void), int number) {
    int status = status_of(body);
    expect_that(WIFSIGNALED(status) && WTERMSIG(status) == number, WHERE, "wait status 0x%x",
                status);
}

/* What is to happen within 100 ms: again, if the machine was too busy for that. */
WI__UNUSED static void expect_done_in_a_moment(void (*body)(void)) {
    int status = -1;
    for (int i = 0; i < 20 && status; i++) {
        double begin = now_s();
        status = status_of(body);
        if (now_s() - begin < 0.1) break;
    }
    expect_that(status == 0, WHERE, "wait status 0x%x", (unsigned)status);
}

WI__UNUSED static void expect_left(const char *path, const char *text) {
    char got[256] = "";
    int file = open(path, O_RDONLY);
    if (file >= 0 && read(file, got, sizeof got - 1) < 0) got[0] = '\0';
    expect_text(got, text);
}

WI__UNUSED static void leave(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    expect(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

BODY(call_body) { ((void (*)(void))arg)(); }
/* A body in a wi_interrupts of its own, with the usual signals. */
BODY(in_interrupts) {
    within (wi_interrupts()) ((void (*)(void))arg)();
}
WI__UNUSED static int interrupted_in(void (*body)(void)) {
    return interruption_of(in_interrupts, (void *)body);
}

WI__UNUSED static void one_signal(void) {
    raise(SIGTERM);
    wi_poll();
}

WI__UNUSED static void exit_raises(void *unused) {
    (void)unused;
    wi_raise(WI_VALUE_ERROR, "exit");
}

#endif
