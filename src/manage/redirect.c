/* wi_redirect, wi_redirect_output: descriptors that lead elsewhere for a block. */
#include <within/redirect.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "manage/durable.h"
#include "manage/redirect_captured.h"
#include "manage/redirect_slot.h"
#include "manage/redirect_streams.h"
#include "manage/redirect_tee.h"
#include "manage/trouble.h"
#include "record/complain.h"

enum { MOST = 2 };

struct wi__redirection {
    pid_t pid;
    int count; /* of descriptors */
    wi__slot slots[MOST];
    int kept;   /* of slots, those that remember something */
    int led;    /* of those, that lead elsewhere */
    int target; /* to what; open until the end, as closing it may tell of lost writes */
    struct wi__capture *capture; /* the buffer's, until it has it */
    wi__tee *tee;
    wi__streams streams;
    wi_holding holding;
};

/* ---- names ---- */

static const char *name_of(int fd, char text[32]) {
    if (fd == STDOUT_FILENO) return "stdout";
    if (fd == STDERR_FILENO) return "stderr";
    snprintf(text, 32, "descriptor %d", fd);
    return text;
}

static const char *subject(const wi_redirect *redirect, char text[32]) {
    return redirect->both ? "stdout and stderr" : name_of(redirect->fd, text);
}

static void redirect_describe(const void *self, char *buffer, size_t size) {
    const wi_redirect *redirect = self;
    const wi_redirect_options *options = &redirect->options;
    char of[32], to[32];
    const char *place = options->path   ? options->path
                        : options->into ? "a buffer"
                                        : name_of(options->to, to);
    snprintf(buffer, size, "%s to %s", subject(redirect, of), place);
}

static void do_whole(wi_redirect *redirect, wi__trouble (*steps)(void *self)) {
    char of[32];
    const char *path = redirect->options.path;
    wi__do_whole(path ? path : subject(redirect, of), steps, redirect);
}

/* ---- enter ---- */

static void check(const wi_redirect *redirect) {
    const wi_redirect_options *options = &redirect->options;
    char of[32];
    const char *name = subject(redirect, of);
    if (redirect->open) wi_raise(WI_USAGE_ERROR, "%s: this wi_redirect is open already", name);
    if (redirect->fd < 0) wi_raise(WI_VALUE_ERROR, "%s cannot be redirected", name);
    if (!!options->path + !!options->into + !!options->to != 1)
        wi_raise(WI_VALUE_ERROR, "%s can be redirected to one of .path, .into and .to", name);
    if (options->append && !options->path)
        wi_raise(WI_VALUE_ERROR, "%s: .append is for a .path", name);
    if (options->into && wi__captured_is_open(options->into))
        wi_raise(WI_USAGE_ERROR, "%s: another block is filling this wi_captured", name);
}

static wi__trouble take_target(struct wi__redirection *r, int file, int fd, const char *failed) {
    r->target = wi__out_of_the_way(file, fd);
    return r->target < 0 ? wi__trouble_of(failed, errno) : WI__NO_TROUBLE;
}

/* Not emptied yet: something else may fail. */
static wi__trouble open_path(struct wi__redirection *r, const char *path, int fd) {
    int file;
    do file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0666);
    while (file < 0 && errno == EINTR);
    return take_target(r, file, fd, "cannot be opened");
}

static wi__trouble open_buffer(struct wi__redirection *r, int fd) {
    static const char failed[] = "no buffer can be made";
    int file = -1, error = wi__capture_new(&r->capture, &file);
    return error ? wi__trouble_of(failed, error) : take_target(r, file, fd, failed);
}

static wi__trouble open_target(const wi_redirect *redirect, struct wi__redirection *r) {
    const wi_redirect_options *options = &redirect->options;
    if (options->path) return open_path(r, options->path, redirect->fd);
    if (options->into) return open_buffer(r, redirect->fd);
    return take_target(r, fcntl(options->to, F_DUPFD_CLOEXEC, 0), redirect->fd,
                       "cannot be led to the other descriptor");
}

static wi__trouble keep(const wi_redirect *redirect, struct wi__redirection *r) {
    const int fds[MOST] = {redirect->fd, STDERR_FILENO};
    while (r->kept < r->count) {
        int error = wi__slot_keep(&r->slots[r->kept], fds[r->kept]);
        if (error) return wi__trouble_of("what was there before cannot be kept", error);
        r->kept++;
    }
    return WI__NO_TROUBLE;
}

static wi__trouble make_tee(struct wi__redirection *r) {
    struct stat status;
    int shown = r->slots[0].kept;
    if (fstat(r->target, &status) != 0) return wi__trouble_of("cannot be looked at", errno);
    if (!S_ISREG(status.st_mode))
        return wi__trouble_of("is no regular file, which a tee could follow", 0);
    if (wi__same_place(r->target, shown))
        return wi__trouble_of("the output goes there already: a tee would never end", 0);
    return wi__trouble_if(wi__tee_new(&r->tee, r->target, shown), "no tee can be made");
}

static wi__trouble empty(const struct wi__redirection *r) {
    struct stat status;
    if (fstat(r->target, &status) != 0) return wi__trouble_of("cannot be looked at", errno);
    while (S_ISREG(status.st_mode) && status.st_size > 0 && ftruncate(r->target, 0) != 0)
        if (errno != EINTR) return wi__trouble_of("cannot be emptied", errno);
    return WI__NO_TROUBLE;
}

static wi__trouble lead(struct wi__redirection *r) {
    while (r->led < r->count) {
        int error = wi__slot_lead(&r->slots[r->led], r->target);
        if (error) return wi__trouble_of("cannot be led to", error);
        r->led++;
    }
    return WI__NO_TROUBLE;
}

static wi__trouble set_up(const wi_redirect *redirect, struct wi__redirection *r) {
    const wi_redirect_options *options = &redirect->options;
    wi__trouble trouble = keep(redirect, r);
    if (!trouble.what) trouble = open_target(redirect, r);
    if (!trouble.what && options->tee) trouble = make_tee(r);
    if (!trouble.what && options->path && !options->append) trouble = empty(r);
    if (!trouble.what) trouble = lead(r);
    if (!trouble.what && r->tee)
        trouble = wi__trouble_if(wi__tee_start(r->tee), "no thread can be started for the tee");
    return trouble;
}

static void undo(struct wi__redirection *r) {
    while (r->kept > r->led) wi__slot_drop(&r->slots[--r->kept]);
    while (r->led > 0) wi__slot_put_back(&r->slots[--r->led]);
    wi__tee_free(r->tee);
    if (r->target >= 0) wi__close(r->target);
    wi__capture_free(r->capture);
    wi__streams_put_back(&r->streams);
    free(r);
}

static wi__trouble begin(void *self) {
    wi_redirect *redirect = self;
    struct wi__redirection *r = calloc(1, sizeof *r);
    if (!r) return wi__trouble_of("no memory", ENOMEM);
    r->pid = getpid();
    r->count = redirect->both ? 2 : 1;
    r->target = -1;
    wi__streams_flush();
    wi__streams_keep(&r->streams);
    wi__trouble trouble = set_up(redirect, r);
    if (trouble.what) {
        undo(r);
        return trouble;
    }
    if (r->capture) wi__captured_open(redirect->options.into, r->capture);
    if (redirect->options.by_line || wi__same_place(STDOUT_FILENO, STDERR_FILENO))
        wi__streams_by_line(&r->streams);
    redirect->open = r;
    return trouble;
}

static void redirect_enter(void *self) {
    wi_redirect *redirect = self;
    char what[1024];
    check(redirect);
    do_whole(redirect, begin);
    redirect_describe(redirect, what, sizeof what);
    redirect->open->holding = wi_hold("redirect", "%s", what);
}

/* ---- exit ---- */

static wi__trouble finish_streams(const struct wi__redirection *r) {
    int fds[MOST];
    for (int i = 0; i < r->count; i++) fds[i] = r->slots[i].fd;
    return wi__streams_finish(&r->streams, fds, r->count);
}

static int put_back(struct wi__redirection *r) {
    int first = 0;
    for (int i = r->count - 1; i >= 0; i--) {
        int error = wi__slot_put_back(&r->slots[i]);
        if (!first) first = error;
    }
    wi__streams_put_back(&r->streams);
    return first;
}

/* A stderr that leads to where the tee does, is as stuck, or as closed: it is told nothing. */
static void end_tee(const wi_redirect *redirect, struct wi__redirection *r) {
    char what[1024], why[128];
    if (r->pid != getpid()) {
        wi__tee_free(r->tee);
        return;
    }
    int error = r->tee ? wi__tee_end(r->tee) : 0;
    if (!error || wi__same_place(redirect->fd, STDERR_FILENO)) return;
    redirect_describe(redirect, what, sizeof what);
    wi__complain("%s: not all of it was passed on: %s", what, strerror_r(error, why, sizeof why));
}

static wi__trouble end(void *self) {
    wi_redirect *redirect = self;
    struct wi__redirection *r = redirect->open;
    redirect->open = NULL;
    wi_let_go(r->holding);
    wi__trouble trouble = finish_streams(r);
    int led_back = put_back(r);
    end_tee(redirect, r);
    if (redirect->options.into) wi__captured_close(redirect->options.into);
    int closed = wi__close(r->target);
    free(r);
    if (trouble.what) return trouble;
    if (led_back) return wi__trouble_of("the descriptor cannot be put back", led_back);
    return wi__trouble_if(closed, "cannot be closed");
}

static wi_verdict redirect_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    do_whole(self, end);
    return WI_PROPAGATE;
}

static const wi_protocol redirect_protocol = {"redirect", redirect_enter, redirect_exit,
                                              redirect_describe};

wi_redirect wi__redirect(int fd, int both, wi_redirect_options options) {
    wi_redirect redirect = {&redirect_protocol, fd, both, options, NULL};
    return redirect;
}
