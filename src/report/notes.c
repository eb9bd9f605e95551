/* Below the table: what a reader must know to trust it. Nothing is printed where nothing is to be said. */
#include <string.h>

#include "report/page.h"
#include "report/units.h"
#include "report/utf8.h"

static void print_title(const wi__page *page, const char *title) {
    fputc('\n', page->out);
    wi__page_ink(page, WI__NOTICE);
    fputs(title, page->out);
    wi__page_ink(page, WI__PLAIN);
    fputc('\n', page->out);
}

/* ---- tallies ---- */

static void print_tally(const wi__page *page, const wi__tally *tally) {
    char what[4 * sizeof tally->what], where[4 * sizeof tally->where];
    wi__printable(what, sizeof what, tally->what);
    wi__printable(where, sizeof where, tally->where);
    fprintf(page->out, "  %6s × %s\n%11s%s\n", wi__count_text(tally->count).text, what, "", where);
}

static void print_tallies(const wi__page *page, wi__tally_kind kind, const char *title) {
    const wi__tally *tallies = page->profile->header.tallies;
    int titled = 0;
    for (int i = 0; i < WI__TALLIES; i++) {
        if (tallies[i].kind != (uint32_t)kind) continue;
        if (!titled++) print_title(page, title);
        print_tally(page, &tallies[i]);
    }
}

/* ---- counts ---- */

typedef struct counted {
    const char *what;
    uint64_t count;
} counted;

static void print_counts(const wi__page *page, const counted *counts, size_t length) {
    int titled = 0;
    for (size_t i = 0; i < length; i++) {
        if (!counts[i].count) continue;
        if (!titled++) print_title(page, "notes");
        fprintf(page->out, "  %s: %s\n", counts[i].what, wi__count_text(counts[i].count).text);
    }
}

static uint64_t captured_on_gpu(const wi__profile *profile) {
    uint64_t count = 0;
    for (size_t i = 0; i < profile->path_count; i++) count += profile->paths[i].gpu.captured;
    return count;
}

/* Of sections that ended; those that the GPU was still busy with are among them. */
static uint64_t untimed_on_gpu(const wi__profile *profile) {
    uint64_t count = 0;
    for (size_t i = 0; i < profile->path_count; i++) {
        const wi__gpu_counts *gpu = &profile->paths[i].gpu;
        if (gpu->calls > gpu->timed + gpu->captured)
            count += gpu->calls - gpu->timed - gpu->captured;
    }
    return count;
}

/* ---- what grows ---- */

static void print_explanation(const wi__page *page, const char *lines) {
    for (size_t length; lines && *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        fprintf(page->out, "%13s%.*s\n", "", (int)length, lines);
    }
}

static void print_finding(const wi__page *page, const wi__tally *tally) {
    char what[4 * sizeof tally->what], where[4 * sizeof tally->where];
    wi__printable(what, sizeof what, tally->what);
    wi__printable(where, sizeof where, tally->where);
    int is_leak = tally->kind == WI__LEAKING;
    fputs("  ", page->out);
    if (is_leak) wi__page_ink(page, WI__ALARM);
    fputs(is_leak ? "leak" : "growing", page->out);
    if (is_leak) wi__page_ink(page, WI__PLAIN);
    fprintf(page->out, "%s%s: %s\n", is_leak ? "     " : "  ", where, what);
}

static void print_findings(const wi__page *page) {
    const wi__tally *tallies = page->profile->header.tallies;
    int titled = 0;
    for (uint32_t kind = WI__LEAKING; kind <= WI__GROWING; kind++)
        for (int i = 0; i < WI__TALLIES; i++) {
            if (tallies[i].kind != kind) continue;
            if (!titled++) print_title(page, "what grows from call to call");
            print_finding(page, &tallies[i]);
            print_explanation(page, page->profile->explanations[i]);
        }
}

void wi__page_notes(const wi__page *page) {
    const wi__profile *profile = page->profile;
    const wi__header *header = &profile->header;
    print_findings(page);
    print_tallies(page, WI__SUPPRESSED, "suppressed errors");
    print_tallies(page, WI__MISMATCHED,
                  "ends of sections that did not match their begins, repaired");
    const counted counts[] = {
        {"paths deeper than --depth, not shown", page->view->too_deep},
        {"paths below --min-percent, not shown", page->view->too_small},
        {"calls counted as \"(other)\", for there were more paths than a record keeps",
         header->folded},
        {"calls not recorded for lack of memory", header->dropped},
        {"KiB in the file when it could grow no more: paths that came later are missing",
         (uint64_t)header->file_cells * WI__CELL_BYTES / 1024},
        {"things held but not listed, for a thread held too many at once", header->unlisted},
        {"suppressed errors, mismatched ends and findings of further kinds", header->untallied},
        {"calls without a time on the GPU, for they were being captured into a graph",
         captured_on_gpu(profile)},
        {"calls without a time on the GPU, for it was not done with them, or could not tell",
         untimed_on_gpu(profile)},
        {"paths caught in an update, so that their last call may be missing", profile->torn},
        {"parts left out because they made no sense, for the file is damaged", profile->damaged},
    };
    print_counts(page, counts, sizeof counts / sizeof *counts);
}
