/* The text report: its heading, and the order of its parts. */
#include <inttypes.h>
#include <string.h>

#include "report/ending.h"
#include "report/interruption.h"
#include "report/page.h"
#include "report/units.h"
#include "report/utf8.h"

void wi__page_ink(const wi__page *page, wi__ink ink) {
    static const char *const codes[WI__INKS] = {[WI__PLAIN] = "\033[0m",
                                                [WI__BOLD] = "\033[1m",
                                                [WI__FAINT] = "\033[2m",
                                                [WI__ALARM] = "\033[31m",
                                                [WI__NOTICE] = "\033[33m"};
    if (page->color) fputs(codes[ink], page->out);
}

double wi__seconds_between(const wi__profile *profile, uint64_t from, uint64_t to) {
    return to > from ? wi__profile_seconds(profile, (double)(to - from)) : 0;
}

uint64_t wi__realtime_of(const wi__profile *profile, uint64_t ticks) {
    const wi__anchor *first = &profile->header.first;
    double after_ns = 1e9 * wi__seconds_between(profile, first->ticks, ticks);
    double before_ns = 1e9 * wi__seconds_between(profile, ticks, first->ticks);
    if (!(after_ns < 1e18 && before_ns < (double)first->realtime_ns)) return first->realtime_ns;
    return first->realtime_ns + (uint64_t)after_ns - (uint64_t)before_ns;
}

/* ---- heading ---- */

static void print_label(const wi__page *page, const char *label) {
    wi__page_ink(page, WI__FAINT);
    fprintf(page->out, "%-8s ", label);
    wi__page_ink(page, WI__PLAIN);
}

static void print_command(const wi__page *page) {
    char text[sizeof page->profile->header.command * 4];
    wi__printable(text, sizeof text, page->profile->header.command);
    print_label(page, "command");
    wi__page_ink(page, WI__BOLD);
    wi__print_shortened(page->out, text, page->width ? page->width - 9 : (int)sizeof text);
    wi__page_ink(page, WI__PLAIN);
    fputc('\n', page->out);
}

static void print_ending(const wi__page *page) {
    char text[200];
    wi__ending ending = wi__ending_of(page->profile);
    int bad = ending == WI__KILLED || ending == WI__CUT_OFF ||
              (ending == WI__EXITED && page->profile->header.wait_status != 0);
    wi__ending_text(page->profile, text, sizeof text);
    print_label(page, "end");
    if (bad) wi__page_ink(page, WI__ALARM);
    fputs(text, page->out);
    if (bad) wi__page_ink(page, WI__PLAIN);
    fputc('\n', page->out);
}

static void print_signal(const wi__page *page) {
    char text[300];
    wi__interruption_text(page->profile, text, sizeof text);
    if (!text[0]) return;
    print_label(page, "signal");
    fprintf(page->out, "%s\n", text);
}

static void print_time(const wi__page *page) {
    const wi__profile *profile = page->profile;
    double wall_s = wi__seconds_between(profile, profile->header.first.ticks, profile->end);
    print_label(page, "time");
    fprintf(page->out, "%s, from %s", wi__seconds_text(wall_s).text,
            wi__moment_text(profile->header.first.realtime_ns).text);
    if (profile->threads)
        fprintf(page->out, ", %u thread%s", profile->threads, wi__plural(profile->threads));
    fputc('\n', page->out);
}

static const char *clock_name(uint32_t clock) {
    static const char *const names[WI__CLOCKS] = {[WI__CLOCK_MONOTONIC] = "CLOCK_MONOTONIC",
                                                  [WI__CLOCK_TSC] = "TSC",
                                                  [WI__CLOCK_TSC_FENCED] = "fenced TSC",
                                                  [WI__CLOCK_CNTVCT] = "CNTVCT_EL0"};
    return clock < WI__CLOCKS ? names[clock] : "unknown";
}

static void print_clock(const wi__page *page) {
    const wi__profile *profile = page->profile;
    const wi__header *header = &profile->header;
    print_label(page, "clock");
    fputs(clock_name(header->clock), page->out);
    if (header->clock_step_ticks)
        fprintf(
            page->out, ", resolution %s",
            wi__seconds_text(wi__profile_seconds(profile, (double)header->clock_step_ticks)).text);
    fputc('\n', page->out);
    if (!(header->section_ticks > 0)) return;
    print_label(page, "cost");
    fprintf(page->out, "%s a clock read, %s a section; nothing is subtracted\n",
            wi__seconds_text(wi__profile_seconds(profile, header->clock_read_ticks)).text,
            wi__seconds_text(wi__profile_seconds(profile, header->section_ticks)).text);
}

static void print_fork(const wi__page *page) {
    uint32_t parent = page->profile->header.forked_from;
    if (!parent) return;
    print_label(page, "fork");
    fprintf(page->out, "of process %" PRIu32 "; its times begin at the fork\n", parent);
}

static void print_record(const wi__page *page) {
    char text[4096];
    if (!page->options->record) return;
    wi__printable(text, sizeof text, page->options->record);
    print_label(page, "record");
    fprintf(page->out, "%s\n", text);
}

void wi__page_heading(const wi__page *page) {
    print_command(page);
    print_ending(page);
    print_signal(page);
    print_time(page);
    print_clock(page);
    print_fork(page);
    print_record(page);
}

void wi__write_text(const wi__page *page) {
    wi__page_heading(page);
    wi__page_table(page);
    wi__page_open(page);
    wi__page_notes(page);
}
