/* What was open when the record ended: where a dead process was, and what it held. */
#include <inttypes.h>
#include <string.h>

#include "report/ending.h"
#include "report/page.h"
#include "report/units.h"
#include "report/utf8.h"

enum { SHOWN = 20, KIND_BYTES = 64, WHAT_BYTES = 240, NARROWEST_KIND = 8, WIDEST_WHAT = 60 };

typedef struct widths {
    int kind, what; /* columns */
} widths;

static void what_of(const wi__page *page, const wi__open_scope *scope, char *buffer, size_t size) {
    if (scope->path != WI__NO_PATH)
        wi__full_path(page->profile, scope->path, buffer, size);
    else
        wi__printable(buffer, size, scope->what);
}

static int widest_of(int width, const char *text) {
    int other = wi__text_width(text);
    return other > width ? other : width;
}

/* The columns that the widest entries need, within bounds: 36 is what stands around them. */
static widths widths_of(const wi__page *page, size_t shown) {
    widths width = {NARROWEST_KIND, 0};
    for (size_t i = 0; i < shown; i++) {
        char what[WHAT_BYTES], kind[KIND_BYTES];
        wi__printable(kind, sizeof kind, page->profile->open[i].kind);
        width.kind = widest_of(width.kind, kind);
        what_of(page, &page->profile->open[i], what, sizeof what);
        width.what = widest_of(width.what, what);
    }
    int most = WIDEST_WHAT, room = page->width - width.kind - 36;
    if (page->width) most = room > 16 ? room : 16;
    if (width.what > most) width.what = most;
    return width;
}

static void print_scope(const wi__page *page, const wi__open_scope *scope, widths width) {
    const wi__profile *profile = page->profile;
    char what[WHAT_BYTES], kind[KIND_BYTES];
    wi__printable(kind, sizeof kind, scope->kind);
    what_of(page, scope, what, sizeof what);
    fprintf(page->out, "  %s%*s ", kind, width.kind - wi__text_width(kind), "");
    int used = wi__print_shortened(page->out, what, page->width ? width.what : (int)sizeof what);
    fprintf(page->out, "%*s  since %s, for %s", width.what > used ? width.what - used : 0, "",
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
    widths width = widths_of(page, shown);
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
