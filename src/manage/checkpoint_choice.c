/* Which checkpoint of a series to take: the newest, the best, the next. Those that are not whole are passed over. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/checkpoint_series.h"
#include "manage/checkpoints.h"
#include "manage/durable.h"

/* A search through a series, in which others may save and remove meanwhile. */
typedef struct search {
    const wi_checkpoints *series;
    int folder;
    wi__listing listing;
    wi__failure failure;
} search;

typedef enum outcome { NOT_FOUND, FOUND, FAILED, AGAIN } outcome;

/* Choose among what is listed. */
typedef outcome chooser(search *s, const void *wish, wi_checkpoint *found);

enum { MOST_ROUNDS = 100 }; /* in which what was listed is gone when it is looked at */

/* ---- what was found ---- */

static void fill_in(wi_checkpoint *checkpoint, const search *s, const wi__manifest *manifest) {
    snprintf(checkpoint->path, sizeof checkpoint->path, "%s/%s", s->series->folder, manifest->data);
    checkpoint->sequence = manifest->sequence;
    checkpoint->step = manifest->step;
    checkpoint->time_ns = manifest->time_ns;
    memcpy(checkpoint->metrics, manifest->metrics, sizeof checkpoint->metrics);
}

double wi_checkpoint_metric(const wi_checkpoint *checkpoint, const char *name) {
    return wi__metric_of(checkpoint->metrics, name);
}

/* ---- what was not ---- */

static int is_gone(const search *s, uint64_t sequence) {
    char name[NAME_MAX + 1];
    wi__manifest_name(sequence, name);
    return faccessat(s->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static void pass_over(const search *s, uint64_t sequence, const char *data) {
    const wi_checkpoints_options *options = &s->series->options;
    char why[sizeof s->failure.text + 200], name[NAME_MAX + 1];
    wi__failure_text(&s->failure, why, sizeof why);
    wi__data_name(sequence, "", name);
    if (data[0]) snprintf(name, sizeof name, "%s", data);
    if (options->passed_over)
        options->passed_over(options->arg, name, why);
    else
        fprintf(stderr, "within: checkpoints %s: %s is passed over: %s\n", s->series->folder, name,
                why);
}

/* One that another process has removed meanwhile is no loss; but the list is old then. */
static outcome try_one(search *s, uint64_t sequence, int with_content, wi_checkpoint *found) {
    wi__manifest manifest;
    int failed = with_content ? wi__series_check(&manifest, s->folder, sequence, 1, &s->failure)
                              : wi__series_read(&manifest, s->folder, sequence, &s->failure);
    outcome result = !failed ? FOUND : is_gone(s, sequence) ? AGAIN : NOT_FOUND;
    if (result == FOUND) fill_in(found, s, &manifest);
    if (result == NOT_FOUND) pass_over(s, sequence, manifest.data);
    wi__manifest_release(&manifest);
    return result;
}

/* ---- searching ---- */

static outcome search_once(search *s, chooser *choose, const void *wish, wi_checkpoint *found) {
    outcome result = FAILED;
    if (wi__series_list(&s->listing, s->folder, &s->failure) == 0) result = choose(s, wish, found);
    wi__listing_release(&s->listing);
    return result;
}

static outcome search_folder(search *s, chooser *choose, const void *wish, wi_checkpoint *found) {
    outcome result = AGAIN;
    for (int round = 0; result == AGAIN && round < MOST_ROUNDS; round++)
        result = search_once(s, choose, wish, found);
    if (result != AGAIN) return result;
    wi__fail(&s->failure, WI_BUSY_ERROR, "checkpoints are removed faster than they can be read");
    return FAILED;
}

static outcome search_series(search *s, chooser *choose, const void *wish, wi_checkpoint *found) {
    if (wi__series_validate(s->series, &s->failure)) return FAILED;
    s->folder = wi__series_open(s->series->folder);
    if (s->folder < 0) {
        if (errno == ENOENT) return NOT_FOUND;
        wi__fail_errno(&s->failure, errno, "the folder cannot be opened");
        return FAILED;
    }
    outcome result = search_folder(s, choose, wish, found);
    wi__close(s->folder);
    return result;
}

/* A thread that is cancelled meanwhile would leave descriptors and memory behind. */
static int find(const wi_checkpoints *series, chooser *choose, const void *wish,
                wi_checkpoint *found) {
    int state;
    search s = {.series = series};
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    outcome result = search_series(&s, choose, wish, found);
    pthread_setcancelstate(state, NULL);
    if (result == FAILED)
        wi__raise_failure(&s.failure, "checkpoints %s", series->folder ? series->folder : "");
    return result == FOUND;
}

/* ---- the newest, and the next ---- */

static outcome choose_newest(search *s, const void *wish, wi_checkpoint *found) {
    (void)wish;
    outcome result = NOT_FOUND;
    for (size_t i = s->listing.count; result == NOT_FOUND && i-- > 0;)
        result = try_one(s, s->listing.published[i], 1, found);
    return result;
}

int wi_checkpoint_latest(const wi_checkpoints *series, wi_checkpoint *newest) {
    return find(series, choose_newest, NULL, newest);
}

static outcome choose_next(search *s, const void *wish, wi_checkpoint *found) {
    uint64_t before = *(const uint64_t *)wish;
    outcome result = NOT_FOUND;
    for (size_t i = 0; result == NOT_FOUND && i < s->listing.count; i++)
        if (s->listing.published[i] > before)
            result = try_one(s, s->listing.published[i], 0, found);
    return result;
}

int wi_checkpoint_next(const wi_checkpoints *series, wi_checkpoint *checkpoint) {
    uint64_t before = checkpoint->sequence;
    return find(series, choose_next, &before, checkpoint);
}

/* ---- the best ---- */

typedef struct candidate {
    double value; /* the lower the better */
    uint64_t sequence;
} candidate;

static int best_first(const void *one, const void *other) {
    const candidate *a = one, *b = other;
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    return (a->sequence < b->sequence) - (a->sequence > b->sequence);
}

/* @return how many have the metric; AGAIN in *result if one is gone */
static size_t find_candidates(search *s, const char *metric, candidate *candidates,
                              outcome *result) {
    size_t count = 0;
    wi_checkpoint read;
    for (size_t i = 0; i < s->listing.count; i++) {
        uint64_t sequence = s->listing.published[i];
        outcome tried = try_one(s, sequence, 0, &read);
        if (tried == AGAIN) *result = AGAIN;
        double value = tried == FOUND ? wi_checkpoint_metric(&read, metric) : NAN;
        if (s->series->options.best_is_max) value = -value;
        if (!isnan(value)) candidates[count++] = (candidate){value, sequence};
    }
    return count;
}

static outcome choose_best(search *s, const void *wish, wi_checkpoint *found) {
    outcome result = NOT_FOUND;
    candidate *candidates = calloc(s->listing.count + 1, sizeof *candidates);
    if (!candidates) {
        wi__fail(&s->failure, WI_MEMORY_ERROR, "no memory");
        return FAILED;
    }
    size_t count = find_candidates(s, wish, candidates, &result);
    qsort(candidates, count, sizeof *candidates, best_first);
    for (size_t i = 0; result == NOT_FOUND && i < count; i++)
        result = try_one(s, candidates[i].sequence, 1, found);
    free(candidates);
    return result;
}

int wi_checkpoint_best(const wi_checkpoints *series, const char *metric, wi_checkpoint *best) {
    return find(series, choose_best, metric, best);
}
