/* Verdicts: which section it is, and in which words. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "manage/leak_text.h"
#include "manage/watching.h"
#include "record/ledger.h"

/* ---- which section ---- */

/* By how much a call of the path changes the counter itself. The first windows are warm-up. */
static double own_rate(const wi__watch_path *path, int counter) {
    const wi__leak_series *series = &path->series[counter];
    uint64_t samples = 0;
    int64_t own = 0;
    for (uint32_t i = series->begun / 4; i < series->begun; i++) {
        own += series->windows[i].own;
        samples += i + 1 < series->begun ? series->width : series->in_last;
    }
    return samples ? (double)own / (double)samples : 0;
}

static double calls_of(const wi__watch_path *path) {
    return (double)path->watched.branch->node->calls;
}

/* Of the paths below, the one that most of it happens in; NULL if there is none. */
static wi__watch_path *culprit_below(const wi__watch_path *path, int counter, double rise) {
    wi__watch_path *culprit = NULL;
    double most = rise / 2;
    for (wi__branch *child = path->watched.branch->last_child; child; child = child->previous) {
        if (!child->watched || child->watched->generation != path->watched.generation) continue;
        wi__watch_path *below = (wi__watch_path *)child->watched;
        double share = own_rate(below, counter) * calls_of(below);
        if (share < most) continue;
        most = share;
        culprit = below;
    }
    return culprit;
}

/* The innermost path in which more than half of the growth happens. */
static wi__watch_path *culprit_of(wi__watch_path *path, int counter,
                                  const wi__leak_growth *growth) {
    double rise = growth->per_call * calls_of(path);
    for (wi__watch_path *below; (below = culprit_below(path, counter, rise));) path = below;
    return path;
}

/* The same growth, counted in calls of the path that it happens in. */
static wi__leak_growth seen_from(const wi__watch_path *culprit, int counter,
                                 const wi__watch_path *path, const wi__leak_growth *growth) {
    wi__leak_growth seen = *growth;
    double calls = calls_of(culprit) / calls_of(path);
    if (culprit == path) return seen;
    seen.per_call = own_rate(culprit, counter);
    seen.since_call = (uint64_t)fmax(1, round((double)growth->since_call * calls));
    seen.call = culprit->watched.branch->node->calls;
    return seen;
}

/* ---- what is told ---- */

static int64_t limit_of(const wi__counter *counter) {
    return counter->limit ? counter->limit() : WI__ABSENT;
}

static wi_leak leak_of(const wi__counter *counter, const wi__leak_growth *growth,
                       const char *section) {
    wi_leak leak = {.what = counter->many, .is_suspicion = counter->growth == WI__IS_SUSPICION};
    int64_t limit = limit_of(counter);
    snprintf(leak.section, sizeof leak.section, "%s", section);
    wi__leak_text(leak.text, sizeof leak.text, counter, growth, limit);
    leak.per_call = growth->per_call;
    leak.since_call = growth->since_call;
    leak.seconds_left = limit == WI__ABSENT ? NAN : wi__leak_seconds_left(growth, limit);
    return leak;
}

static wi_leak withdrawn_leak(const wi__counter *counter, uint64_t call, const char *section) {
    wi_leak leak = {.what = counter->many,
                    .is_suspicion = counter->growth == WI__IS_SUSPICION,
                    .is_withdrawn = 1,
                    .seconds_left = NAN};
    snprintf(leak.section, sizeof leak.section, "%s", section);
    snprintf(leak.text, sizeof leak.text, "%s no longer %s: withdrawn at call %llu", counter->many,
             counter->is_bytes ? "rises" : "rise", (unsigned long long)call);
    return leak;
}

static void write_down(wi__watch_path *path, int counter, const wi_leak *leak) {
    wi__tally_kind kind = leak->is_withdrawn   ? WI__WITHDRAWN
                          : leak->is_suspicion ? WI__GROWING
                                               : WI__LEAKING;
    path->lines[counter] = wi__record_finding(path->lines[counter], kind, leak->text, leak->section,
                                              path->watched.branch->node->calls);
}

/* Where few calls were looked at, those that leak may not be among them. */
static int knows_its_calls(const wi__leak_series *series) {
    uint64_t looked_at = (series->begun - 1) * series->width + series->in_last;
    return 2 * looked_at > series->last.call - series->windows[0].call;
}

/* Growth that happens between the calls is nobody's who asked for the path by its name. */
static int name_section(const wi__watch_path *path, const wi__watch_path *culprit, int counter,
                        wi__leak_growth *growth, char *text, size_t size) {
    int is_outside = culprit == path && growth->own_per_call < growth->per_call / 2;
    if (is_outside && path->is_named) return 0;
    is_outside &= knows_its_calls(&path->series[counter]);
    *growth = seen_from(culprit, counter, path, growth);
    char section[200];
    wi__branch_path(culprit->watched.branch, section, sizeof section);
    snprintf(text, size, is_outside ? "between calls of %s" : "%s", section);
    return 1;
}

void wi__watch_withdraw(wi__watch_path *path, int counter) {
    char judged[4096];
    const char *name = path->names[counter];
    if (!*name) return;
    wi_leak leak = withdrawn_leak(wi__counter_at(counter), path->series[counter].last.call, name);
    wi__branch_path(path->watched.branch, judged, sizeof judged);
    write_down(path, counter, &leak);
    wi__watch_hand_out(&leak, judged, !path->is_named);
}

void wi__watch_tell(wi__watch_path *path, int counter, wi__leak_news news,
                    const wi__leak_growth *growth) {
    char judged[4096], section[256];
    char *name = path->names[counter];
    wi__leak_growth seen = *growth;
    wi__watch_path *culprit = culprit_of(path, counter, growth);
    if (!name_section(path, culprit, counter, &seen, section, sizeof section)) return;
    if (!*name || news == WI__LEAK_TOLD) memcpy(name, section, sizeof section);
    wi_leak leak = leak_of(wi__counter_at(counter), &seen, name);
    wi__branch_path(path->watched.branch, judged, sizeof judged);
    write_down(path, counter, &leak);
    if (wi__watch_hand_out(&leak, judged, !path->is_named))
        wi__explain(culprit, path, counter, seen.per_call);
}
