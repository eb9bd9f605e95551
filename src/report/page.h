/*
 * The text report, part by part: what its parts share. The parts print in this order: heading, table,
 * open scopes, notes.
 */
#ifndef WITHIN_REPORT_PAGE_H
#define WITHIN_REPORT_PAGE_H

#include "report/report.h"
#include "report/view.h"

typedef enum wi__ink { WI__PLAIN, WI__BOLD, WI__FAINT, WI__ALARM, WI__NOTICE, WI__INKS } wi__ink;

typedef struct wi__page {
    FILE *out;
    int width; /* columns; 0: no limit */
    int color;
    const wi__profile *profile;
    const wi__report_options *options;
    const wi__view *view;
} wi__page;

void wi__page_heading(const wi__page *page);
void wi__page_table(const wi__page *page);
void wi__page_open(const wi__page *page);
void wi__page_notes(const wi__page *page);

/** Print from here on in an ink: nothing without colour. WI__PLAIN ends it. */
void wi__page_ink(const wi__page *page, wi__ink ink);
/** When a tick was, in nanoseconds since 1970. */
uint64_t wi__realtime_of(const wi__profile *profile, uint64_t ticks);
/** Seconds from one tick to another; 0 if it is earlier. */
double wi__seconds_between(const wi__profile *profile, uint64_t from, uint64_t to);

/* One function a format. Each needs a view, and leaves trouble in the stream's error flag. */
void wi__write_text(const wi__page *page);
void wi__write_json(const wi__page *page);
void wi__write_csv(const wi__page *page);

#endif
