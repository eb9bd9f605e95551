/* The line of a push on a terminal. */
#include "cli/push/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "report/utf8.h"

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wi__progress_show(wi__progress *progress) {
    char name[200];
    int64_t now = now_ms();
    if (!isatty(STDERR_FILENO) || (progress->is_shown && now - progress->shown_ms < 200)) return;
    wi__printable(name, sizeof name, progress->name);
    fprintf(stderr, "\r%s: %lld of %lld points\033[K", name, (long long)progress->sent,
            (long long)progress->count);
    progress->is_shown = 1;
    progress->shown_ms = now;
}

static wi_verdict progress_exit(void *self, wi_reason reason, const wi_error *error) {
    const wi__progress *progress = self;
    (void)reason, (void)error;
    if (progress->is_shown) fputs("\r\033[K", stderr);
    return WI_PROPAGATE;
}

static const wi_protocol progress_protocol = {"progress", NULL, progress_exit, NULL};

wi__progress wi__progress_of(const char *name) {
    return (wi__progress){.protocol = &progress_protocol, .name = name};
}
