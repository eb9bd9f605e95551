/* The line of a push on a terminal. */
#include "cli/push/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "report/utf8.h"
#include "runs/now.h"

void wi__progress_show(wi__progress *progress) {
    char name[200];
    double now = wi__monotonic_s();
    if (!isatty(STDERR_FILENO) || (progress->is_shown && now - progress->shown_s < 0.2)) return;
    wi__printable(name, sizeof name, progress->name);
    fprintf(stderr, "\r%s: %lld of %lld points\033[K", name, (long long)progress->sent,
            (long long)progress->count);
    progress->is_shown = 1;
    progress->shown_s = now;
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
