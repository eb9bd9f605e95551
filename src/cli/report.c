/* within report: print a record. */
#include "report/report.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/newest.h"
#include "cli/options.h"
#include "cli/siblings.h"
#include "record/profile.h"

enum { JSON, CSV, FLAT, SORT, DEPTH, MIN_PERCENT };

static const wi__option options[] = {
    [JSON] = {"json", NULL, "Print JSON; the manual page lists its keys"},
    [CSV] = {"csv", NULL, "Print CSV, one line a path"},
    [FLAT] = {"flat", NULL, "Print one list of full paths instead of a tree"},
    [SORT] = {"sort", "KEY",
              "Order by total, self or calls, the largest first, or by name; total by default"},
    [DEPTH] = {"depth", "N", "Leave out paths that are more than N levels deep"},
    [MIN_PERCENT] = {"min-percent", "X",
                     "Leave out paths that took less than X percent of the whole time"},
    {NULL, NULL, NULL},
};

/* ---- options ---- */

static int parse_sort(const char *word, wi__report_sort *sort) {
    static const char *const keys[] = {[WI__BY_TOTAL] = "total",
                                       [WI__BY_SELF] = "self",
                                       [WI__BY_CALLS] = "calls",
                                       [WI__BY_NAME] = "name"};
    for (int i = 0; word && i <= WI__BY_NAME; i++) {
        if (strcmp(word, keys[i]) != 0) continue;
        *sort = (wi__report_sort)i;
        return 0;
    }
    if (!word) return 0;
    return wi__usage_error(
        "report", "--sort takes total, self, calls or name, and got \"%s\"; did you mean %s?", word,
        keys[wi__nearest(word, keys, 4)]);
}

static int parse_depth(const char *word, uint32_t *depth) {
    char *end;
    errno = 0;
    unsigned long number = word ? strtoul(word, &end, 10) : 0;
    if (!word) return 0;
    if (!errno && word[0] >= '0' && word[0] <= '9' && !*end && number >= 1 &&
        number <= UINT32_MAX) {
        *depth = (uint32_t)number;
        return 0;
    }
    return wi__usage_error("report", "--depth takes a number of levels from 1 on, and got \"%s\"",
                           word);
}

static int parse_percent(const char *word, double *percent) {
    char *end;
    double number = word ? strtod(word, &end) : 0;
    if (!word) return 0;
    if (end != word && !*end && number >= 0 && number <= 100) {
        *percent = number;
        return 0;
    }
    return wi__usage_error("report", "--min-percent takes a number from 0 to 100, and got \"%s\"",
                           word);
}

static int parse_options(const wi__arguments *arguments, wi__report_options *report) {
    if (arguments->values[JSON] && arguments->values[CSV])
        return wi__usage_error("report", "--json and --csv exclude each other");
    report->format = arguments->values[JSON]  ? WI__JSON
                     : arguments->values[CSV] ? WI__CSV
                                              : WI__TEXT;
    report->flat = arguments->values[FLAT] != NULL;
    int status = parse_sort(arguments->values[SORT], &report->sort);
    if (!status) status = parse_depth(arguments->values[DEPTH], &report->depth);
    if (!status) status = parse_percent(arguments->values[MIN_PERCENT], &report->min_percent);
    return status;
}

/* ---- printing ---- */

static int fail(const char *path, const char *why) {
    fprintf(stderr, "within report: %s%s%s\n", path ? path : "", path ? ": " : "", why);
    return WI__STATUS_FAILED;
}

/* Processes that begin to measure at the same moment may be seen in either order. */
static void print_siblings(const char *path, const wi__profile *profile) {
    enum { SLACK_NS = 100000000 };
    uint64_t begin_ns = profile->header.first.realtime_ns;
    wi__print_siblings(stdout, path, begin_ns > SLACK_NS ? begin_ns - SLACK_NS : 0);
}

static int report_on(const char *path, wi__report_options *report) {
    char why[256];
    wi__profile profile;
    report->record = path;
    if (!wi__profile_read(path, &profile, why, sizeof why)) return fail(path, why);
    int printed = wi__report_print(stdout, &profile, report);
    if (printed && report->format == WI__TEXT) print_siblings(path, &profile);
    wi__profile_release(&profile);
    return printed ? 0 : fail(path, "there is not enough memory for a report");
}

static int run(const wi__arguments *arguments) {
    char newest[PATH_MAX], why[256];
    wi__report_options report = {0};
    int status = parse_options(arguments, &report);
    if (status) return status;
    if (arguments->count) return report_on(arguments->operands[0], &report);
    if (!wi__newest_record(newest, sizeof newest, why, sizeof why)) return fail(NULL, why);
    return report_on(newest, &report);
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Prints where the time of a run went: for each path of nested sections how often\n"
    "it ran, its whole time, its own time without the sections inside, mean, standard\n"
    "deviation, smallest, median, 99th percentile, largest, how many calls ended by\n"
    "an error, and its share of the section around it. Open sections count up to the\n"
    "moment that the record ends. Of a program that used a GPU there are the time on\n"
    "it, and its memory: what was kept, and the most in use.\n"
    "\n"
    "PATH is a record; without it, the newest below .within/ is taken. The program may\n"
    "be running, finished or dead: of a dead one the report lists the blocks that were\n"
    "open, innermost first, since when, and what they held.";

static const char details[] =
    "Times are in seconds (s), thousandths (ms), millionths (us) and billionths (ns).\n"
    "The 50th and 99th percentiles are right within 7 percent, all else to the clock's\n"
    "step. The heading says what reading the clock and a whole section cost; nothing\n"
    "is subtracted. On a terminal the table is cut to its width, and says what it\n"
    "leaves out.\n"
    "\n"
    "JSON is one object. Its keys:\n"
    "\n"
    "  format             1, the version of this list\n"
    "  record             the record's path\n"
    "  command, host      of the program\n"
    "  pid, forked_from   processes, or null\n"
    "  end                how: exit, signal, end, cut off, running, not measured;\n"
    "                     text; status and signal, or null\n"
    "  interrupted        the signal that the program took (wi_interrupts), or null:\n"
    "                     signal, name, at (in UTC), sender: a process or null,\n"
    "                     raised_s: how long until it was raised, or null, left_s:\n"
    "                     what was left of grace_s, or null, and count\n"
    "  grace              what within run --grace did, or null: signal, name, at,\n"
    "                     grace_s, and whether the program was killed\n"
    "  begin              in UTC\n"
    "  wall_s, threads    how long was measured, in how many threads\n"
    "  clock              name; step_s, read_s and section_s: what they cost\n"
    "  folded, dropped    calls counted as \"(other)\", calls not recorded\n"
    "  unlisted           things held, but not listed\n"
    "  untallied          errors, mismatches and findings not listed\n"
    "  torn, damaged      paths caught in an update, parts left out\n"
    "  sections           a list, parents first; each with id, parent (an id or\n"
    "                     null), depth, name, path, calls, total_s, self_s, mean_s,\n"
    "                     std_s, min_s, p50_s, p99_s, max_s, errors,\n"
    "                     percent_of_parent, suppressed, and open: the number of\n"
    "                     threads that are inside. If any used a GPU also gpu_calls,\n"
    "                     gpu_timed and gpu_captured of them, gpu_s of those that\n"
    "                     were timed, gpu_delta_bytes, gpu_peak_bytes\n"
    "  open               a list, innermost first; each with kind, what, since,\n"
    "                     open_s, thread, section: an id or null, and count: how\n"
    "                     many are open, of which since is the newest's\n"
    "  suppressed         a list of errors; each with count, what, where\n"
    "  mismatched         a list of ends of sections; likewise\n"
    "  leaking            a list of what the leak watch found to leak: what says how fast, where "
    "is\n"
    "                     the section's path, count its calls when that was written,\n"
    "                     explanation a list of what there is more of\n"
    "  growing            likewise, of memory: a suspicion\n"
    "  withdrawn          likewise, of findings that turned out not to be true\n"
    "\n"
    "CSV has the fields of sections, with a header line, as RFC 4180 wants them. In\n"
    "both, a path longer than 2,000 bytes begins with an ellipsis: use id and parent.\n"
    "Bytes that are control characters or no UTF-8 are shown like \\x1b.\n";

const wi__command wi__report_command = {
    .name = "report",
    .summary = "print the report of a record: a finished, running or dead program's",
    .operands = "[PATH]",
    .text = text,
    .details = details,
    .statuses = "0\tThe report was printed\n"
                "1\tThe record cannot be read, or the output cannot be written\n"
                "2\tThe command line is wrong\n",
    .examples = "within report\n"
                "within report --flat --sort self --min-percent 1\n"
                "within report --csv run.within > run.csv\n",
    .options = options,
    .most_operands = 1,
    .run = run,
};
