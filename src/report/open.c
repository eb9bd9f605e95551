/* What was open when the record ended: where a dead process was, and what it held. */
#include <inttypes.h>
#include <string.h>

#include "report/ending.h"
#include "report/page.h"
#include "report/units.h"
#include "report/utf8.h"

enum { SHOWN = 20, WHAT_BYTES = 240, WIDEST_WHAT = 60 };

static void what_of(const wi__page *page, const wi__open_scope *scope, char *buffer, size_t size) {
    if (scope->path != WI__NO_PATH)
        wi__full_path(page->profile, scope->path, buffer, size);
    else
        wi__printable(buffer, size, scope->what);
}

/* The columns that the widest entry needs, within bounds: 44 is what stands around it. */
static int what_width(const wi__page *page, size_t shown) {
    int widest = 0, most = WIDEST_WHAT;
    if (page->width) most = page->width - 44 > 16 ? page->width - 44 : 16;
    for (size_t i = 0; i < shown; i++) {
        char what[WHAT_BYTES];
        what_of(page, &page->profile->open[i], what, sizeof what);
        int width = wi__text_width(what);
        if (width > widest) widest = width;
    }
    return widest < most ? widest : most;
}

static void print_scope(const wi__page *page, const wi__open_scope *scope, int width) {
    const wi__profile *profile = page->profile;
    char what[WHAT_BYTES], kind[4 * sizeof scope->kind];
    wi__printable(kind, sizeof kind, scope->kind);
    what_of(page, scope, what, sizeof what);
    fprintf(page->out, "  %-8s ", kind);
    int used = wi__print_shortened(page->out, what, page->width ? width : (int)sizeof what);
    fprintf(page->out, "%*s  since %s, for %s", width > used ? width - used : 0, "",
            wi__time_of_day_text(wi__realtime_of(profile, scope->start)).text,
            wi__seconds_text(wi__seconds_between(profile, scope->start, profile->end)).text);
    if (scope->count > 1) fprintf(page->out, ", the newest of %" PRIu32, scope->count);
    if (profile->threads > 1 && scope->thread)
        fprintf(page->out, ", thread %" PRIu32, scope->thread);
    fputc('\n', page->out);
}

void wi__page_open(const wi__page *page) {
    const wi__profile *profile = page->profile;
    size_t shown = profile->open_count < SHOWN ? profile->open_count : SHOWN;
    if (!shown) return;
    int width = what_width(page, shown);
    const char *when = wi__ending_of(profile) == WI__RUNNING ? "now" : "at the end";
    fputc('\n', page->out);
    wi__page_ink(page, WI__NOTICE);
    fprintf(page->out, "open %s, innermost first", when);
    wi__page_ink(page, WI__PLAIN);
    fputc('\n', page->out);
    for (size_t i = 0; i < shown; i++) print_scope(page, &profile->open[i], width);
    if (profile->open_count > shown)
        fprintf(page->out, "  and %zu more, further out\n", profile->open_count - shown);
}
