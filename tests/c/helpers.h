/* What the block tests share: managers that write down what happens to them, and errors in one line. */
#ifndef WITHIN_TEST_HELPERS_H
#define WITHIN_TEST_HELPERS_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include <within/block.h>
#include <within/error.h>
#include <within/exit_stack.h>
#include <within/generator.h>
#include <within/suppress.h>
#include <within/try.h>

WI__BEGIN_DECLS
extern void (*wi__on_suppressed)(const wi_error *error); /* src/block/chain.h */
WI__END_DECLS

#define TEST(name) static void name(void **state WI__UNUSED)
/* A function that wi_call can call. */
#define BODY(name) static void name(void *arg WI__UNUSED)

/* ---- what happened, in words ---- */

static char happened[1 << 15];
static int happening_fd = -1; /* in a process that is about to end: where to write it instead */

WI__UNUSED WI__PRINTF(1, 2) static void note(const char *format, ...) {
    char words[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words - 1, format, arguments);
    va_end(arguments);
    if (happening_fd >= 0) {
        dprintf(happening_fd, "%s ", words);
    } else {
        size_t length = strlen(happened);
        snprintf(happened + length, sizeof happened - length, "%s%s", length ? " " : "", words);
    }
}

#define expect_happened(words)                                                                     \
    do {                                                                                           \
        assert_string_equal(happened, words);                                                      \
        happened[0] = '\0';                                                                        \
    } while (0)

/* ---- errors in one line: KIND message {cause: …} {context: …} ---- */

WI__UNUSED static void describe_error(const wi_error *error, char *text, size_t size) {
    size_t used =
        (size_t)snprintf(text, size, "%s %s", wi_error_kind(error)->name, wi_error_message(error));
    const wi_error *behind[2] = {wi_error_cause(error), wi_error_context(error)};
    for (int i = 0; i < 2; i++) {
        if (!behind[i]) continue;
        char inner[512];
        describe_error(behind[i], inner, sizeof inner);
        used +=
            (size_t)snprintf(text + used, size - used, " {%s: %s}", i ? "context" : "cause", inner);
    }
}

WI__UNUSED static wi_error *error_of(void (*body)(void *arg), void *arg) {
    wi_error *error;
    wi_call(body, arg, &error);
    return error;
}

WI__UNUSED static void note_error(const wi_error *error) {
    char text[500];
    describe_error(error, text, sizeof text);
    note("%s", text);
}

/* The body must raise this error. */
#define expect_raised(body, line)                                                                  \
    do {                                                                                           \
        wi_error *error_ = error_of(body, NULL);                                                   \
        assert_non_null(error_);                                                                   \
        char text_[1024];                                                                          \
        describe_error(error_, text_, sizeof text_);                                               \
        wi_error_free(error_);                                                                     \
        assert_string_equal(text_, line);                                                          \
    } while (0)

/* ---- a manager that notes "+name" and "-name:reason", and can fail ---- */

typedef enum tracer_mood { OBEDIENT, RAISES_IN_ENTER, RAISES_IN_EXIT, SAYS_SUPPRESS } tracer_mood;

typedef struct tracer {
    const wi_protocol *protocol;
    const char *name;
    tracer_mood mood;
    int entered;
    int exited;
} tracer;

WI__UNUSED static void tracer_enter(void *self) {
    tracer *t = (tracer *)self;
    if (t->mood == RAISES_IN_ENTER) wi_raise(WI_VALUE_ERROR, "enter %s", t->name);
    t->entered++;
    note("+%s", t->name);
}

WI__UNUSED static wi_verdict tracer_exit(void *self, wi_reason reason, const wi_error *error) {
    static const char *const reasons[] = {"end", "left", "raised"};
    tracer *t = (tracer *)self;
    t->exited++;
    if (error)
        note("-%s:%s(%s)", t->name, reasons[reason], wi_error_message(error));
    else
        note("-%s:%s", t->name, reasons[reason]);
    if (t->mood == RAISES_IN_EXIT) wi_raise(WI_VALUE_ERROR, "exit %s", t->name);
    return t->mood == SAYS_SUPPRESS ? WI_SUPPRESS : WI_PROPAGATE;
}

WI__UNUSED static void tracer_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const tracer *)self)->name);
}

WI__UNUSED static const wi_protocol tracer_protocol = {"tracer", tracer_enter, tracer_exit,
                                                       tracer_describe};

#define TRACER(label, ...) wi_make(tracer, .name = label, ##__VA_ARGS__)

/* The same, of a type that may suppress: it does so for errors of one kind. */
typedef struct swallower {
    const wi_suppressing_protocol *protocol;
    const char *name;
    const wi_error_type *kind; /* NULL for none */
    tracer_mood mood;
} swallower;

WI__UNUSED static void swallower_enter(void *self) {
    swallower *s = (swallower *)self;
    tracer t = {&tracer_protocol, s->name, s->mood, 0, 0};
    tracer_enter(&t);
}

WI__UNUSED static wi_verdict swallower_exit(void *self, wi_reason reason, const wi_error *error) {
    swallower *s = (swallower *)self;
    tracer t = {&tracer_protocol, s->name, s->mood, 0, 0};
    tracer_exit(&t, reason, error);
    return wi_error_is(error, s->kind) ? WI_SUPPRESS : WI_PROPAGATE;
}

WI__UNUSED static const wi_suppressing_protocol swallower_protocol = {
    {"swallower", swallower_enter, swallower_exit, NULL}, 1};

#define SWALLOWER(label, ...) wi_make(swallower, .name = label, ##__VA_ARGS__)

/* ---- suppressed errors are counted: here, as "~message" ---- */

WI__UNUSED static void note_suppressed(const wi_error *error) {
    note("~%s", wi_error_message(error));
}

/* ---- threads ---- */

typedef struct call {
    void (*body)(void *arg);
    void *arg;
} call;

WI__UNUSED static void *run_call(void *self) {
    call *c = (call *)self;
    c->body(c->arg);
    return NULL;
}

/* In a thread whose stack has 256 KiB. */
WI__UNUSED static void on_a_small_stack(void (*body)(void *arg), void *arg) {
    call c = {body, arg};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, run_call, &c), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
}

/* ---- a test leaves the thread as it found it ---- */

static void *chain_before;

static int start_afresh(void **state WI__UNUSED) {
    happened[0] = '\0';
    wi__on_suppressed = note_suppressed;
    wi__self.top = NULL; /* whatever a failed test has left there */
    wi__self.handling = NULL;
    chain_before = wi_here().frame;
    return 0;
}

static int check_nothing_left(void **state WI__UNUSED) {
    wi__on_suppressed = NULL;
    if (wi_here().frame != chain_before) print_error("a block or handler is still open\n");
    if (wi__self.handling) print_error("an error is still being handled\n");
    if (happened[0]) print_error("not expected: %s\n", happened);
    return wi_here().frame != chain_before || wi__self.handling || happened[0];
}

#define test(name) cmocka_unit_test_setup_teardown(name, start_afresh, check_nothing_left)

#endif
