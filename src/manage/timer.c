/* wi_timer: a section that prints how long it took. */
#include <within/timer.h>

#include <time.h>

#include "manage/safe_point.h"
#include "record/scope.h"

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void timer_enter(void *self) {
    wi_timer *timer = self;
    if (timer->running)
        wi_raise(WI_USAGE_ERROR, "timer %s: it is running already; use one timer a block",
                 timer->label);
    timer->section.protocol->enter(&timer->section);
    timer->running = 1;
    timer->elapsed = 0;
    timer->start_s = now_s();
}

static wi_verdict timer_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_timer *timer = self;
    timer->elapsed = now_s() - timer->start_s;
    timer->running = 0;
    wi__scope_end(&timer->section.opened, reason);
    if (!timer->options.quiet)
        fprintf(timer->options.stream ? timer->options.stream : stderr, "%s: %.4fs\n", timer->label,
                timer->elapsed);
    if (reason == WI_END) wi__safe_point_of_exit(timer->section.opened.site);
    return WI_PROPAGATE;
}

static void timer_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_timer *)self)->label);
}

static const wi_protocol timer_protocol = {"timer", timer_enter, timer_exit, timer_describe};

double wi_timer_elapsed(const wi_timer *timer) {
    return timer->running ? now_s() - timer->start_s : timer->elapsed;
}

wi_timer wi__timer(const wi_place *site, const char *label, wi_timer_options options) {
    if (!label) label = "Elapsed";
    wi_timer timer = {&timer_protocol,
                      label,
                      options,
                      0,
                      0,
                      0,
                      wi__section(&wi__named_section_protocol, site, label)};
    return timer;
}
