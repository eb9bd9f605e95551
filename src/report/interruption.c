/* The line about the signal that asked a process to end. */
#include "report/interruption.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/signal_name.h"
#include "report/page.h"
#include "report/units.h"

double wi__interruption_grace_s(const wi__profile *profile) {
    double own_s = profile->header.interruption.grace_s, runners_s = profile->header.grace.grace_s;
    return own_s > 0 ? own_s : profile->header.grace.signal ? runners_s : NAN;
}

double wi__interruption_left_s(const wi__profile *profile) {
    const wi__header *header = &profile->header;
    uint64_t came_ns =
        header->interruption.signal ? header->interruption.came_ns : header->grace.passed_ns;
    double end_s = 1e-9 * (double)wi__realtime_of(profile, profile->end);
    return wi__interruption_grace_s(profile) - (end_s - 1e-9 * (double)came_ns);
}

/* All that is added is short: the texts fit. */
static void add(char *text, size_t size, const char *format, ...) WI__PRINTF(3, 4);
static void add(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    size_t used = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void add_own(const wi__interruption_note *signal, char *text, size_t size) {
    add(text, size, "%s", wi__signal_name((int)signal->signal).text);
    if (signal->sender) add(text, size, " from process %u", signal->sender);
    add(text, size, " at %s", wi__moment_text(signal->came_ns).text);
    if (signal->count > 1) add(text, size, ", %u in all", signal->count);
    if (!signal->raised_ns) add(text, size, ", and no safe point was reached");
}

static void add_left(const wi__profile *profile, char *text, size_t size) {
    double left_s = wi__interruption_left_s(profile);
    wi__number grace = wi__seconds_text(wi__interruption_grace_s(profile));
    if (isnan(left_s)) return;
    if (left_s >= 0)
        add(text, size, "; %s of %s %s", wi__seconds_text(left_s).text, grace.text,
            profile->alive ? "are left" : "were left at the end");
    else
        add(text, size, "; the %s were over %s %s", grace.text, wi__seconds_text(-left_s).text,
            profile->alive ? "ago" : "before the end");
}

void wi__interruption_text(const wi__profile *profile, char *text, size_t size) {
    const wi__grace_note *grace = &profile->header.grace;
    text[0] = '\0';
    if (profile->header.interruption.signal)
        add_own(&profile->header.interruption, text, size);
    else if (grace->signal)
        add(text, size, "%s, passed on by within run at %s",
            wi__signal_name((int)grace->signal).text, wi__moment_text(grace->passed_ns).text);
    else
        return;
    add_left(profile, text, size);
}
