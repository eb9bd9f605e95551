/* The sections of a run: the difference of two profiles of its process. */
#include "runs/sections.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/shortest.h"
#include "runs/names.h"
#include "runs/now.h"

/* ---- which path is which ---- */

typedef struct known_path {
    wi__named named;
    const wi__path *path;
    char text[];
} known_path;

/* A tree apart is another path than sections of the same name. */
static char *key_of(const wi__profile *profile, uint32_t index) {
    size_t length = wi__path_text(profile, index, NULL, 0);
    char *key = malloc(length + 2);
    if (!key) return NULL;
    int apart = 0;
    for (uint32_t at = index; at != WI__NO_PATH; at = profile->paths[at].parent)
        apart |= profile->paths[at].apart;
    key[0] = apart ? '/' : ' ';
    wi__path_text(profile, index, key + 1, length + 1);
    return key;
}

static int add_path(wi__names *known, const wi__profile *profile, uint32_t index) {
    char *key = key_of(profile, index);
    size_t size = key ? strlen(key) + 1 : 0;
    known_path *added = key ? malloc(sizeof *added + size) : NULL;
    if (added) {
        memcpy(added->text, key, size);
        added->named = wi__named_of(added->text);
        added->path = &profile->paths[index];
    }
    free(key);
    if (added && (wi__names_find(known, &added->named) || !wi__names_add(known, &added->named)))
        free(added);
    return added != NULL;
}

static int know_paths(wi__names *known, const wi__profile *profile) {
    memset(known, 0, sizeof *known);
    for (uint32_t i = WI__ROOT + 1; i < profile->path_count; i++)
        if (!add_path(known, profile, i)) {
            wi__names_release(known, free);
            return 0;
        }
    return 1;
}

static const wi__path *find_path(const wi__names *known, const wi__profile *now, uint32_t index) {
    char *key = key_of(now, index);
    if (!key) return NULL;
    wi__named wanted = wi__named_of(key);
    known_path *found = wi__names_find(known, &wanted);
    free(key);
    return found ? found->path : NULL;
}

/* ---- one path ---- */

static uint64_t calls_before(const wi__path *before, uint32_t bucket) {
    for (uint32_t i = 0; i < before->bucket_count && before->buckets[i].bucket <= bucket; i++)
        if (before->buckets[i].bucket == bucket) return before->buckets[i].calls;
    return 0;
}

static void subtract_buckets(wi__path *now, const wi__path *before) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < now->bucket_count; i++) {
        wi__bucket_calls each = now->buckets[i];
        uint64_t old = calls_before(before, each.bucket);
        if (each.calls <= old) continue;
        each.calls -= old;
        now->buckets[kept++] = each;
    }
    now->bucket_count = kept;
}

/* The smallest number in a bucket: of the one behind it, one more than the largest in this. */
static uint64_t begin_of(uint32_t bucket) {
    if (bucket < 2 * WI__OCTAVE_BUCKETS) return bucket;
    uint32_t shift = bucket / WI__OCTAVE_BUCKETS - 1;
    return (uint64_t)(bucket % WI__OCTAVE_BUCKETS + WI__OCTAVE_BUCKETS) << shift;
}

/* Of what is left: within the histogram's buckets, and on either side of the mean. */
static void narrow_extremes(wi__path *now) {
    if (!now->calls || !now->bucket_count) {
        if (!now->calls) now->min = now->max = 0;
        return;
    }
    uint64_t mean = now->total / now->calls;
    uint64_t least = begin_of(now->buckets[0].bucket);
    uint64_t most = begin_of(now->buckets[now->bucket_count - 1].bucket + 1) - 1;
    if (now->min < least) now->min = least;
    if (now->max > most) now->max = most;
    if (now->min > mean || now->calls == 1) now->min = mean;
    if (now->max <= mean || now->calls == 1) now->max = mean + (now->total % now->calls != 0);
}

/* Calls that were open then and have ended since count from the run's begin. */
static void subtract_open(wi__path *now, const wi__path *before) {
    uint64_t open = before->open_ticks;
    uint64_t still_open = open < now->open_ticks ? open : now->open_ticks;
    now->open_ticks -= still_open;
    open -= still_open;
    now->total -= open < now->total ? open : now->total;
}

static void subtract_path(wi__path *now, const wi__path *before) {
    if (before->calls > now->calls || before->total > now->total) return; /* it began anew */
    now->calls -= before->calls;
    now->total -= before->total;
    now->squares -= before->squares;
    now->errors -= before->errors < now->errors ? before->errors : now->errors;
    now->suppressed -= before->suppressed < now->suppressed ? before->suppressed : now->suppressed;
    now->folded -= fmin(before->folded, now->folded);
    subtract_open(now, before);
    subtract_buckets(now, before);
    if (before->calls) narrow_extremes(now);
}

/* ---- all of them ---- */

static void add_up_children(wi__profile *profile) {
    for (size_t i = 0; i < profile->path_count; i++)
        profile->paths[i].children = profile->paths[i].folded;
    for (size_t i = WI__ROOT + 1; i < profile->path_count; i++) {
        const wi__path *path = &profile->paths[i];
        if (path->parent != WI__NO_PATH)
            profile->paths[path->parent].children += (double)path->total + (double)path->open_ticks;
    }
}

int wi__sections_subtract(wi__profile *now, const wi__profile *before) {
    wi__names known;
    if (!know_paths(&known, before)) return 0;
    for (uint32_t i = WI__ROOT + 1; i < now->path_count; i++) {
        const wi__path *old = find_path(&known, now, i);
        if (old) subtract_path(&now->paths[i], old);
    }
    wi__names_release(&known, free);
    add_up_children(now);
    return 1;
}

/* ---- giving them ---- */

typedef struct giving {
    int (*take)(void *arg, const wi__note *note);
    void *arg;
} giving;

static int give(const giving *to, wi__note_kind kind, const char *key, const char *value) {
    wi__note note = {kind, 0, wi__now_ms(), key, value};
    return to->take(to->arg, &note);
}

/* The columns of its row, from calls to errors, in any locale; "nan" where there is nothing to tell. */
static void print_columns(const wi__figures *f, char text[11 * WI__NUMBER_MOST]) {
    const double seconds[] = {f->total_s, f->self_s, f->mean_s, f->std_s,
                              f->min_s,   f->p50_s,  f->p99_s,  f->max_s};
    char *at = wi__write_uint(text, f->calls);
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        *at++ = ' ';
        at = wi__write_double(at, seconds[i]);
    }
    *at++ = ' ';
    *wi__write_uint(at, f->errors) = '\0';
}

static int give_section(const giving *to, const wi__profile *now, uint32_t index) {
    char columns[11 * WI__NUMBER_MOST];
    size_t length = wi__path_text(now, index, NULL, 0);
    char *path = malloc(length + 1);
    if (!path) return 0;
    wi__path_text(now, index, path, length + 1);
    wi__figures figures = wi__path_figures(now, index);
    print_columns(&figures, columns);
    int answer = give(to, WI__NOTE_SECTION, path, columns);
    free(path);
    return answer;
}

static int was_there(const wi__tally *tally, const wi__profile *before) {
    for (int i = 0; before && i < WI__TALLIES; i++)
        if (memcmp(tally, &before->header.tallies[i], sizeof *tally) == 0) return 1;
    return 0;
}

static int give_finding(const giving *to, const wi__tally *tally) {
    char what[sizeof tally->what + 16], where[sizeof tally->where + 1];
    snprintf(what, sizeof what, "%s: %.*s", tally->kind == WI__LEAKING ? "leak" : "growing",
             (int)sizeof tally->what, tally->what);
    snprintf(where, sizeof where, "%.*s", (int)sizeof tally->where, tally->where);
    return give(to, WI__NOTE_FINDING, where, what);
}

int wi__sections_each(const wi__profile *now, const wi__profile *before,
                      int (*take)(void *arg, const wi__note *note), void *arg) {
    const giving to = {take, arg};
    int answer = 0;
    for (uint32_t i = WI__ROOT + 1; !answer && i < now->path_count; i++)
        if (now->paths[i].calls + now->paths[i].open_calls > 0) answer = give_section(&to, now, i);
    for (int i = 0; !answer && i < WI__TALLIES; i++) {
        const wi__tally *tally = &now->header.tallies[i];
        int is_finding = tally->kind == WI__LEAKING || tally->kind == WI__GROWING;
        if (is_finding && !was_there(tally, before)) answer = give_finding(&to, tally);
    }
    return answer;
}
