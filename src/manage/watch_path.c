/* Looking at calls of watched paths: levels before and after, and how seldom. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "manage/watching.h"
#include "record/clock.h"

static uint32_t path_count;

static wi__watch_path *path_new(void) {
    wi__watch_path *path = NULL;
    if (__atomic_fetch_add(&path_count, 1, __ATOMIC_RELAXED) < WI__WATCHED_PATHS)
        path = calloc(1, sizeof *path);
    if (!path) __atomic_fetch_sub(&path_count, 1, __ATOMIC_RELAXED);
    return path;
}

static void begin_session(wi__watch_path *path) {
    pid_t pid = getpid();
    if (path->pid != pid || path->session != wi__watch_session()) wi__explain_no_more(path);
    if (path->pid != pid) memset(path, 0, sizeof *path); /* a forked child has its parent's */
    path->pid = pid;
    if (path->session == wi__watch_session()) return;
    memset(path->series, 0, sizeof path->series);
    memset(path->settled, 0, sizeof path->settled);
    memset(path->names, 0, sizeof path->names);
    path->session = wi__watch_session();
}

/* Watches that come and go inside of another do not disturb it. */
static wi__watch_path *path_for(const wi__branch *branch) {
    wi__watch_path *path = (wi__watch_path *)branch->watched;
    if (!path) path = path_new();
    if (path) begin_session(path);
    return path;
}

static wi__watched *take(wi__branch *branch) {
    char text[4096];
    wi__branch_path(branch, text, sizeof text);
    int is_named = wi__watch_asks_for(text);
    if (!is_named && !wi__watch_asks_for_loops()) return NULL;
    wi__watch_path *path = path_for(branch);
    if (!path) return NULL;
    path->is_named = is_named;
    return &path->watched;
}

/* Nothing around it has been called a second time. */
static int is_outermost_loop(const wi__branch *branch) {
    for (const wi__branch *around = branch->parent; around; around = around->parent)
        if (around->node->calls > 0) return 0;
    return 1;
}

static void before(wi__watched *watched) {
    wi__watch_path *path = (wi__watch_path *)watched;
    wi__explain_begin(path);
    uint64_t begin = wi__ticks();
    path->which = begin >= path->dear_due ? WI__ALL_COUNTERS : WI__CHEAP_COUNTERS;
    path->before = wi__counters_read(path->which);
    path->cost = wi__ticks() - begin - path->before.dear_ticks;
}

/* Two levels without garbage tell whether memory grows: at the first suspicion, and at the next look. */
static int is_confirmed(wi__watch_path *path, int counter, const wi__leak_growth *growth) {
    wi__settled *before = &path->settled[counter];
    if (wi__counter_at(counter)->growth == WI__IS_LEAK || !wi__counters_settle()) return 1;
    wi__settled now = {growth->call, wi__counters_read(WI__ALL_COUNTERS).of[counter]};
    if (!before->call) {
        *before = now;
        wi__leak_wait(&path->series[counter]);
        return 0;
    }
    double expected = growth->per_call * (double)(now.call - before->call);
    int grew = (double)(now.level - before->level) >= expected / 2;
    before->call = 0;
    if (!grew) wi__leak_refute(&path->series[counter]);
    return grew;
}

static void add(wi__watch_path *path, int counter, const wi__leak_sample *sample, int is_judged) {
    wi__leak_growth growth;
    wi__leak_series *series = &path->series[counter];
    const wi__counter *what = wi__counter_at(counter);
    uint32_t looks = what->growth == WI__IS_LEAK ? 2 : 3;
    if (!is_judged && !series->is_told) {
        wi__leak_add(series, sample);
        return;
    }
    wi__leak_news news = wi__leak_judge(series, sample, what->least, looks, &growth);
    if (news == WI__LEAK_TOLD && !is_confirmed(path, counter, &growth)) return;
    if (news == WI__LEAK_WITHDRAWN)
        wi__watch_withdraw(path, counter);
    else if (news != WI__LEAK_NO_NEWS)
        wi__watch_tell(path, counter, news, &growth);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void add_all(wi__watch_path *path, const wi__levels *levels) {
    const wi__branch *branch = path->watched.branch;
    int is_judged = path->is_named || is_outermost_loop(branch);
    wi__leak_sample sample = {.call = branch->node->calls, .time_s = seconds_now()};
    for (int i = 0; i < WI__COUNTERS; i++) {
        if (levels->of[i] == WI__ABSENT || path->before.of[i] == WI__ABSENT) continue;
        sample.level = levels->of[i];
        sample.own = levels->of[i] - path->before.of[i];
        add(path, i, &sample, is_judged);
    }
}

static uint64_t paths_beside(const wi__watch_path *path) {
    uint64_t count = 0;
    for (const wi__watched *each = path->watched.branch->lane->watched; each; each = each->next)
        count++;
    return count;
}

/* Those that were interrupted, and the first, took longer than a look costs; what it costs is known after a few. */
static uint64_t least_of(wi__look_costs *costs, uint64_t cost) {
    costs->newest[costs->count++ % WI__REMEMBERED_LOOKS] = cost;
    for (int i = 0; i < WI__REMEMBERED_LOOKS; i++)
        if (costs->newest[i] < cost) cost = costs->newest[i];
    return cost;
}

/* All looks together take less than a hundredth of a thread's time: the cheap counters a 128th, the dear ones a 512th. */
enum { SHARE = 128, DEAR_SHARE = 512 };

static uint64_t pause_after(const wi__watch_path *path, uint64_t share, uint64_t least) {
    return share * least * paths_beside(path);
}

static void put_dear_off(wi__watch_path *path, uint64_t ticks, uint64_t cost) {
    uint64_t pause = pause_after(path, DEAR_SHARE, least_of(&path->dear_costs, cost));
    path->dear_due = ticks < pause ? wi__ticks() + pause : 0;
}

static uint64_t after(wi__watched *watched, uint64_t ticks) {
    wi__watch_path *path = (wi__watch_path *)watched;
    uint64_t begin = wi__ticks();
    wi__levels levels = wi__counters_read(path->which);
    add_all(path, &levels);
    uint64_t cost = path->cost + wi__ticks() - begin - levels.dear_ticks;
    if (path->which == WI__ALL_COUNTERS)
        put_dear_off(path, ticks, path->before.dear_ticks + levels.dear_ticks);
    uint64_t pause = pause_after(path, SHARE, least_of(&path->costs, cost));
    wi__explain_end(path, &levels);
    return ticks < pause ? pause : 0;
}

const wi__watcher wi__leak_watcher = {take, before, after};
