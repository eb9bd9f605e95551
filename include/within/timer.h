/*
 * A timer: prints how long its block took, and keeps the figure.
 *
 *     wi_timer svd = wi_timer("SVD");
 *     within (&svd) { decompose(a); }         prints  SVD: 0.1234s  on stderr
 *     printf("%g s\n", svd.elapsed);
 *
 * A timer is a section as well: the report has a line for it.
 */
#ifndef WITHIN_TIMER_H
#define WITHIN_TIMER_H

#include <stdio.h>

#include <within/section.h>

WI__BEGIN_DECLS

typedef struct wi_timer_options {
    FILE *stream; /* where to print; NULL for stderr */
    int quiet;    /* nonzero: print nothing */
} wi_timer_options;

typedef struct wi_timer {
    const wi_protocol *protocol;
    const char *label;
    wi_timer_options options;
    double elapsed; /* seconds; 0 until the block ends, kept until the timer is entered again */
    double start_s; /* CLOCK_MONOTONIC */
    int running;
    wi_section section;
} wi_timer;

/**
 * A timer: wi_timer(label) or wi_timer(label, .quiet = 1, .stream = stdout).
 *
 * @param label  printed before the time, and the section's name; borrowed until the block ends.
 * @raise WI_USAGE_ERROR on enter if the timer is running already.
 */
#define wi_timer(...) WI__TIMER(__VA_ARGS__, )
#define WI__TIMER(label, ...)                                                                      \
    wi__timer(WI__SITE, label, WI__FIELDS_MAY_BE_MISSING(wi_timer_options, {__VA_ARGS__}))

/** Seconds: so far while the timer runs, its block's after that, 0 before. */
WI_API double wi_timer_elapsed(const wi_timer *timer);

WI_API wi_timer wi__timer(const wi_place *site, const char *label, wi_timer_options options);

WI__END_DECLS

#endif
