/*
 * JSON: one object; its keys are listed in the manual page of `within report`, and stay.
 *
 * Sections are a flat list in which each names its parent, because a tree as deep as a recursion is more
 * than parsers take. Seconds are numbers; what is not known is null.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>

#include "record/signal_name.h"
#include "report/ending.h"
#include "report/interruption.h"
#include "report/page.h"
#include "report/units.h"
#include "report/utf8.h"

/* ---- values ---- */

/* Any bytes: what is no UTF-8 or a control character has become "\x1b" first. */
static void print_text(FILE *out, const char *text) {
    char printable[4 * WI__PATH_TEXT];
    wi__printable(printable, sizeof printable, text);
    fputc('"', out);
    for (const char *rest = printable; *rest;) {
        size_t plain = strcspn(rest, "\"\\");
        fwrite(rest, 1, plain, out);
        rest += plain;
        if (*rest) fprintf(out, "\\%c", *rest++);
    }
    fputc('"', out);
}

static void print_number(FILE *out, double number) {
    if (isfinite(number))
        fprintf(out, "%.12g", number);
    else
        fputs("null", out);
}

static void text_member(FILE *out, const char *key, const char *text) {
    fprintf(out, "\"%s\": ", key);
    print_text(out, text);
}

static void number_member(FILE *out, const char *key, double number) {
    fprintf(out, ", \"%s\": ", key);
    print_number(out, number);
}

static void count_member(FILE *out, const char *key, uint64_t count) {
    fprintf(out, ", \"%s\": %" PRIu64, key, count);
}

/* A count for which 0 means that there is none. */
static void optional_member(FILE *out, const char *key, uint64_t count) {
    if (count)
        count_member(out, key, count);
    else
        fprintf(out, ", \"%s\": null", key);
}

/* ---- the parts ---- */

static void print_process(const wi__page *page) {
    const wi__header *header = &page->profile->header;
    FILE *out = page->out;
    if (page->options->record) {
        text_member(out, "record", page->options->record);
    } else {
        fputs("\"record\": null", out);
    }
    fputs(",\n ", out);
    text_member(out, "command", header->command);
    fputs(", ", out);
    text_member(out, "host", header->host);
    optional_member(out, "pid", header->owner.pid);
    optional_member(out, "forked_from", header->forked_from);
}

static void print_ending(const wi__page *page) {
    char text[200];
    FILE *out = page->out;
    int status = page->profile->header.wait_status;
    wi__ending ending = wi__ending_of(page->profile);
    wi__ending_text(page->profile, text, sizeof text);
    fputs(" \"end\": {", out);
    text_member(out, "how", wi__ending_word(ending));
    fputs(", ", out);
    text_member(out, "text", text);
    fputs(", \"status\": ", out);
    fprintf(out, ending == WI__EXITED ? "%d" : "null", WEXITSTATUS(status));
    optional_member(out, "signal", ending == WI__KILLED ? (uint64_t)WTERMSIG(status) : 0);
    fputs("},\n", out);
}

static void print_signal_begin(FILE *out, uint32_t signal, uint64_t realtime_ns) {
    fprintf(out, "{\"signal\": %" PRIu32 ", ", signal);
    text_member(out, "name", wi__signal_name((int)signal).text);
    fputs(", ", out);
    text_member(out, "at", wi__moment_utc_text(realtime_ns).text);
}

static void print_interruption(const wi__page *page) {
    const wi__interruption_note *note = &page->profile->header.interruption;
    FILE *out = page->out;
    fputs(" \"interrupted\": ", out);
    if (note->signal) {
        print_signal_begin(out, note->signal, note->came_ns);
        optional_member(out, "sender", note->sender);
        number_member(out, "raised_s",
                      note->raised_ns ? 1e-9 * ((double)note->raised_ns - (double)note->came_ns)
                                      : NAN);
        number_member(out, "left_s", wi__interruption_left_s(page->profile));
        number_member(out, "grace_s", wi__interruption_grace_s(page->profile));
        count_member(out, "count", note->count);
        fputs("},\n", out);
    } else {
        fputs("null,\n", out);
    }
}

static void print_grace(const wi__page *page) {
    const wi__grace_note *note = &page->profile->header.grace;
    FILE *out = page->out;
    fputs(" \"grace\": ", out);
    if (note->signal) {
        print_signal_begin(out, note->signal, note->passed_ns);
        number_member(out, "grace_s", note->grace_s);
        fprintf(out, ", \"killed\": %s},\n", note->killed ? "true" : "false");
    } else {
        fputs("null,\n", out);
    }
}

static void print_measurement(const wi__page *page) {
    static const char *const clocks[WI__CLOCKS] = {"monotonic", "tsc", "fenced", "cntvct"};
    const wi__profile *profile = page->profile;
    const wi__header *header = &profile->header;
    FILE *out = page->out;
    fputc(' ', out);
    text_member(out, "begin", wi__moment_utc_text(header->first.realtime_ns).text);
    number_member(out, "wall_s", wi__seconds_between(profile, header->first.ticks, profile->end));
    count_member(out, "threads", profile->threads);
    fputs(",\n \"clock\": {", out);
    text_member(out, "name", header->clock < WI__CLOCKS ? clocks[header->clock] : "unknown");
    number_member(out, "step_s", wi__profile_seconds(profile, (double)header->clock_step_ticks));
    number_member(out, "read_s", wi__profile_seconds(profile, header->clock_read_ticks));
    number_member(out, "section_s", wi__profile_seconds(profile, header->section_ticks));
    fputs("},\n", out);
}

static void print_losses(const wi__page *page) {
    const wi__profile *profile = page->profile;
    const wi__header *header = &profile->header;
    fprintf(page->out, " \"folded\": %" PRIu64, header->folded);
    count_member(page->out, "dropped", header->dropped);
    count_member(page->out, "unlisted", header->unlisted);
    count_member(page->out, "untallied", header->untallied);
    count_member(page->out, "torn", profile->torn);
    count_member(page->out, "damaged", profile->damaged);
    fputs(",\n", page->out);
}

static void print_figures(FILE *out, const wi__figures *row) {
    count_member(out, "calls", row->calls);
    number_member(out, "total_s", row->total_s);
    number_member(out, "self_s", row->self_s);
    number_member(out, "mean_s", row->mean_s);
    number_member(out, "std_s", row->std_s);
    number_member(out, "min_s", row->min_s);
    number_member(out, "p50_s", row->p50_s);
    number_member(out, "p99_s", row->p99_s);
    number_member(out, "max_s", row->max_s);
    count_member(out, "errors", row->errors);
    number_member(out, "percent_of_parent", row->percent_of_parent);
}

static void print_gpu(FILE *out, const wi__gpu_counts *gpu, const wi__figures *row) {
    count_member(out, "gpu_calls", gpu->calls);
    count_member(out, "gpu_timed", gpu->timed);
    count_member(out, "gpu_captured", gpu->captured);
    number_member(out, "gpu_s", row->gpu_s);
    number_member(out, "gpu_delta_bytes", row->gpu_delta);
    number_member(out, "gpu_peak_bytes", row->gpu_peak);
}

static void print_section(const wi__page *page, const wi__row *row) {
    char path[WI__PATH_TEXT];
    const wi__path *source = &page->profile->paths[row->path];
    wi__full_path(page->profile, row->path, path, sizeof path);
    fprintf(page->out, "{\"id\": %" PRIu32, row->path);
    optional_member(page->out, "parent", row->parent);
    count_member(page->out, "depth", row->depth);
    fputs(", ", page->out);
    text_member(page->out, "name", row->name);
    fputs(", ", page->out);
    text_member(page->out, "path", path);
    print_figures(page->out, &row->figures);
    count_member(page->out, "suppressed", source->suppressed);
    count_member(page->out, "open", source->open_calls);
    if (page->view->has_gpu) print_gpu(page->out, &source->gpu, &row->figures);
    fputc('}', page->out);
}

static void print_open(const wi__page *page, const wi__open_scope *scope) {
    char what[WI__PATH_TEXT];
    const wi__profile *profile = page->profile;
    FILE *out = page->out;
    int is_section = scope->path != WI__NO_PATH;
    if (is_section) wi__full_path(profile, scope->path, what, sizeof what);
    fputc('{', out);
    text_member(out, "kind", scope->kind);
    fputs(", ", out);
    text_member(out, "what", is_section ? what : scope->what);
    fputs(", ", out);
    text_member(out, "since", wi__moment_utc_text(wi__realtime_of(profile, scope->start)).text);
    number_member(out, "open_s", wi__seconds_between(profile, scope->start, profile->end));
    optional_member(out, "thread", scope->thread);
    optional_member(out, "section", is_section ? scope->path : 0);
    count_member(out, "count", scope->count);
    fputc('}', out);
}

/* ---- lists ---- */

static void print_separator(FILE *out, size_t before) { fputs(before ? ",\n  " : "\n  ", out); }

static void print_sections(const wi__page *page) {
    fputs(" \"sections\": [", page->out);
    for (size_t i = 0; i < page->view->row_count; i++) {
        print_separator(page->out, i);
        print_section(page, &page->view->rows[i]);
    }
    fputs("],\n", page->out);
}

static void print_open_scopes(const wi__page *page) {
    fputs(" \"open\": [", page->out);
    for (size_t i = 0; i < page->profile->open_count; i++) {
        print_separator(page->out, i);
        print_open(page, &page->profile->open[i]);
    }
    fputs("],\n", page->out);
}

static void print_explanation(FILE *out, const char *lines) {
    char line[4096];
    fputs(", \"explanation\": [", out);
    for (size_t length; lines && *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, lines);
        print_text(out, line);
        if (lines[length]) fputs(", ", out);
    }
    fputc(']', out);
}

static void print_tallies(const wi__page *page, wi__tally_kind kind, const char *key) {
    const wi__tally *tallies = page->profile->header.tallies;
    size_t printed = 0;
    fprintf(page->out, " \"%s\": [", key);
    for (int i = 0; i < WI__TALLIES; i++) {
        if (tallies[i].kind != (uint32_t)kind) continue;
        print_separator(page->out, printed++);
        fprintf(page->out, "{\"count\": %" PRIu64 ", ", tallies[i].count);
        text_member(page->out, "what", tallies[i].what);
        fputs(", ", page->out);
        text_member(page->out, "where", tallies[i].where);
        if (kind >= WI__LEAKING) print_explanation(page->out, page->profile->explanations[i]);
        fputc('}', page->out);
    }
    fputc(']', page->out);
}

void wi__write_json(const wi__page *page) {
    fputs("{\"format\": 1, ", page->out);
    print_process(page);
    fputs(",\n", page->out);
    print_ending(page);
    print_interruption(page);
    print_grace(page);
    print_measurement(page);
    print_losses(page);
    print_sections(page);
    print_open_scopes(page);
    print_tallies(page, WI__SUPPRESSED, "suppressed");
    fputs(",\n", page->out);
    print_tallies(page, WI__MISMATCHED, "mismatched");
    fputs(",\n", page->out);
    print_tallies(page, WI__LEAKING, "leaking");
    fputs(",\n", page->out);
    print_tallies(page, WI__GROWING, "growing");
    fputs(",\n", page->out);
    print_tallies(page, WI__WITHDRAWN, "withdrawn");
    fputs("}\n", page->out);
}
