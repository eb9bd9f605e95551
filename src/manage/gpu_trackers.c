/* Blocks that track a GPU's memory: opened, closed, and what happens at their boundaries. */
#include "manage/gpu_trackers.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "manage/gpu_source.h"
#include "record/gpu.h"

/* Recursive: a source that is written in Python may run a signal's handler, which tracks something itself. */
static struct {
    pthread_mutex_t lock;
    wi_gpu_memory *open;
    unsigned process;
} trackers = {PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, NULL, 1};

/* ---- the lock ---- */

/* Of the threads that held the lock or have blocks, only one lives on in a child, and its blocks are the parent's. */
static void begin_again(void) {
    pthread_mutex_t unlocked = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    trackers.lock = unlocked;
    trackers.open = NULL;
    trackers.process++;
}

__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(NULL, NULL, begin_again);
}

unsigned wi__gpu_process(void) { return trackers.process; }

/* A thread must not be cancelled while it has the lock. @return what unlock restores. */
static int lock(void) {
    int cancelling;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    pthread_mutex_lock(&trackers.lock);
    return cancelling;
}

static void unlock(int cancelling) {
    pthread_mutex_unlock(&trackers.lock);
    pthread_setcancelstate(cancelling, NULL);
}

/* ---- the list ---- */

static void add(wi_gpu_memory *tracker) {
    tracker->next = trackers.open;
    trackers.open = tracker;
}

static void take_off(const wi_gpu_memory *tracker) {
    wi_gpu_memory **link = &trackers.open;
    while (*link && *link != tracker) link = &(*link)->next;
    if (*link) *link = tracker->next;
}

/* ---- reading ---- */

typedef struct reading {
    const wi_gpu_source *source;
    wi_gpu_figures figures;
} reading;

static void read_source(void *arg) {
    reading *r = arg;
    r->source->read(r->source->of, &r->figures);
}

static void reset_source(void *arg) {
    const wi_gpu_source *source = arg;
    source->reset(source->of);
}

/* Call a function of a source. 0 if it raised: then the tracker says why, and is not tracked. */
static int ask(wi_gpu_memory *tracker, void (*function)(void *arg), void *arg) {
    wi_error *error = NULL;
    if (wi_call(function, arg, &error)) return 1;
    snprintf(tracker->why_not, sizeof tracker->why_not, "%s", wi_error_message(error));
    wi_error_free(error);
    return 0;
}

/* ---- what a section has grown by ---- */

/* One of those that are open in a section has its base: of what grows in several, one tells. */
static wi_gpu_memory *beside(const wi_gpu_memory *tracker) {
    wi_gpu_memory *other = trackers.open;
    while (other && (other == tracker || other->source != tracker->source ||
                     other->branch != tracker->branch))
        other = other->next;
    return other;
}

static void begin_to_grow(wi_gpu_memory *tracker) {
    tracker->base = beside(tracker) ? NAN : tracker->start;
}

static void hand_base_on(wi_gpu_memory *tracker) {
    wi_gpu_memory *other = isnan(tracker->base) ? NULL : beside(tracker);
    if (!other) return;
    other->base = tracker->base;
    tracker->base = NAN;
}

/* ---- boundaries ---- */

static void wait_no_longer(wi_gpu_memory *tracker, const wi_gpu_source *source) {
    tracker->waits = 0;
    tracker->source = source;
    tracker->start = tracker->highest = tracker->mark = 0;
    tracker->why_not[0] = '\0';
    begin_to_grow(tracker);
}

/* fmax passes over a NaN. */
static void share(const reading *r, int device) {
    for (wi_gpu_memory *open = trackers.open; open; open = open->next) {
        if (open->waits && open->device == device && r->source->is_of_process)
            wait_no_longer(open, r->source);
        if (open->source == r->source && r->source->reset)
            open->highest = fmax(open->highest, r->figures.peak);
    }
}

/* The peak so far is shared out. What was read; 0 if it could not be. */
static int read_and_share(wi_gpu_memory *tracker, reading *r) {
    if (!ask(tracker, read_source, r)) return 0;
    share(r, tracker->device);
    return 1;
}

/* Without a reset the block's peak would be one of before: it is not tracked then. */
static void open_from(wi_gpu_memory *tracker, const wi_gpu_source *source) {
    reading r = {source, {0, NAN}};
    if (!read_and_share(tracker, &r)) return;
    if (source->reset && !ask(tracker, reset_source, (void *)source)) return;
    tracker->source = source;
    tracker->start = tracker->highest = r.figures.current;
    tracker->mark = r.figures.peak;
    begin_to_grow(tracker);
}

/* Of a peak that is never reset: a new one is the block's, and one that the block began or ended at. */
static double peak_unless_older(const wi_gpu_memory *tracker, const wi_gpu_figures *now) {
    double ends = fmax(tracker->start, now->current);
    return now->peak > tracker->mark || ends >= now->peak ? now->peak : NAN;
}

/* If the peak cannot be reset, it stays one of the blocks that are still open. */
static void close_from(wi_gpu_memory *tracker) {
    const wi_gpu_source *source = tracker->source;
    reading r = {source, {0, NAN}};
    if (!read_and_share(tracker, &r)) {
        tracker->source = NULL;
        return;
    }
    tracker->current = r.figures.current;
    tracker->delta = r.figures.current - tracker->start;
    if (source->reset) {
        tracker->peak = isnan(r.figures.peak) ? NAN : fmax(tracker->highest, r.figures.current);
        wi_call(reset_source, (void *)source, NULL);
    } else {
        tracker->peak = peak_unless_older(tracker, &r.figures);
    }
}

/* ---- blocks ---- */

static const wi_gpu_source *source_for(wi_gpu_memory *tracker) {
    if (tracker->options.source) return tracker->options.source;
    return wi__gpu_driver_source(tracker->device, trackers.process, tracker->why_not,
                                 sizeof tracker->why_not);
}

/* What counts the whole device cannot tell what was in use at the block's begin. */
static void end_waiting(wi_gpu_memory *tracker) {
    const wi_gpu_source *source = source_for(tracker);
    if (source && source->is_of_process)
        wait_no_longer(tracker, source);
    else if (source)
        strcpy(tracker->why_not, "CUDA came into use inside the block");
}

void wi__gpu_tracker_open(wi_gpu_memory *tracker) {
    int cancelling = lock();
    const wi_gpu_source *source = source_for(tracker);
    tracker->source = NULL;
    tracker->waits = !source;
    tracker->base = NAN;
    if (source) open_from(tracker, source);
    add(tracker);
    unlock(cancelling);
}

double wi__gpu_tracker_close(wi_gpu_memory *tracker) {
    int cancelling = lock();
    if (tracker->waits) end_waiting(tracker);
    hand_base_on(tracker);
    if (tracker->source) close_from(tracker);
    take_off(tracker);
    unlock(cancelling);
    return isnan(tracker->base) ? 0 : tracker->current - tracker->base;
}

void wi__gpu_memory_count_here(wi_gpu_memory *tracker) {
    wi__branch *here = wi__gpu_branch_here();
    int cancelling = lock();
    hand_base_on(tracker);
    tracker->branch = here;
    if (tracker->source) begin_to_grow(tracker);
    unlock(cancelling);
}

int wi__gpu_memory_adopt(wi_gpu_memory *tracker, const wi_gpu_source *source) {
    int cancelling = lock(), waited = tracker->waits;
    if (waited) wait_no_longer(tracker, source);
    unlock(cancelling);
    return waited;
}
