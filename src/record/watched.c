/* Who watches paths of sections, and which of their calls. */
#include "record/watched.h"

#include <within/block.h>

#include "record/clock.h"

const wi__watcher *wi__watcher_now;
uint32_t wi__watch_generation;

/* ---- out of the caches ---- */

static void take_out(const wi__branch *branch) {
    wi__child *cached = wi__cached_child(branch->parent, branch->key);
    if (cached->key == branch->key && cached->branch == branch)
        __atomic_store_n(&cached->key, 0, __ATOMIC_RELEASE);
}

static void forget_caches(wi__branch *root) {
    for (wi__branch *branch = root;;) {
        for (int i = 0; i < WI__CACHED_CHILDREN; i++)
            __atomic_store_n(&branch->cache[i].key, 0, __ATOMIC_RELEASE);
        if (branch->last_child && branch != branch->lane->other) {
            branch = branch->last_child;
            continue;
        }
        while (branch != root && !branch->previous)
            branch = branch == branch->lane->other ? root : branch->parent;
        if (branch == root) return;
        branch = branch->previous;
    }
}

static void notice(wi__lane *lane) {
    uint32_t generation = wi__generation();
    if (lane->watch_generation == generation) return;
    lane->watch_generation = generation;
    lane->watched = NULL;
    lane->watch_due = UINT64_MAX;
    forget_caches(lane->root);
}

/* Under the record's lock. */
static const wi__watcher *wanted;
static int is_ready;

static void begin_generation(void) {
    __atomic_store_n(&wi__watcher_now, wanted, __ATOMIC_RELEASE);
    __atomic_add_fetch(&wi__watch_generation, 1, __ATOMIC_RELEASE);
}

void wi__watch_set(const wi__watcher *watcher) {
    wi__record_lock();
    wanted = watcher;
    if (is_ready) begin_generation();
    wi__record_unlock();
    if (wi__self.branch) notice(wi__self.lane);
}

void wi__watch_allow(void) {
    wi__record_lock();
    is_ready = 1;
    if (wanted) begin_generation();
    wi__record_unlock();
}

void wi__watch_restart(void) {
    if (wi__watch_generation) begin_generation();
}

/* ---- calls ---- */

static wi__watched *met(wi__branch *branch, const wi__watcher *watcher) {
    wi__lane *lane = branch->lane;
    notice(lane);
    if (branch->watch_generation == lane->watch_generation) return branch->watched;
    branch->watch_generation = lane->watch_generation;
    if (branch->watched) branch->watched->is_armed = branch->watched->is_inside = 0;
    wi__watched *watched = watcher->take(branch);
    if (!watched) return NULL;
    branch->watched = watched;
    watched->branch = branch;
    watched->generation = lane->watch_generation;
    watched->next = lane->watched;
    lane->watched = watched;
    watched->is_armed = 1;
    watched->is_inside = 0;
    return watched;
}

/* One call at a time: others of a path of spans may begin while it is open. One that never ended is given up when its
 * path is no longer open. */
int wi__watch_look(wi__branch *branch) {
    const wi__watcher *watcher = wi__who_watches();
    if (!watcher || branch == branch->lane->other) return 0;
    wi__watched *watched = met(branch, watcher);
    if (!watched || !watched->is_armed) return 0;
    if (watched->is_inside && wi__spans_open(branch->node) > 0) return 0;
    watched->is_inside = 1;
    watcher->before(watched);
    return 1;
}

void wi__watch_began(wi__branch *branch, uint64_t start) {
    branch->watched->start = start;
    branch->hurdle = UINT64_MAX;
}

static void put_off(wi__watched *watched, uint64_t until) {
    wi__lane *lane = watched->branch->lane;
    watched->is_armed = 0;
    watched->due = until;
    if (until < lane->watch_due) lane->watch_due = until;
}

void wi__watch_looked_at(wi__branch *branch, uint64_t start, uint64_t now) {
    wi__watched *watched = branch->watched;
    if (!watched->is_inside || watched->start != start) return;
    watched->is_inside = 0;
    branch->hurdle = branch->floor;
    const wi__watcher *watcher = wi__who_watches();
    if (!watcher || branch->watch_generation != wi__generation()) return;
    uint64_t pause = watcher->after(watched, now - start);
    if (pause) put_off(watched, now + pause);
}

/* ---- rare cases ---- */

static void arm_those_due(wi__lane *lane, uint64_t now) {
    lane->watch_due = UINT64_MAX;
    for (wi__watched *watched = lane->watched; watched; watched = watched->next) {
        if (watched->is_armed) continue;
        if (watched->due <= now) {
            watched->is_armed = 1;
            take_out(watched->branch);
        } else if (watched->due < lane->watch_due) {
            lane->watch_due = watched->due;
        }
    }
}

void wi__watch_keep_up(wi__lane *lane, uint64_t now) {
    notice(lane);
    if (now >= lane->watch_due) arm_those_due(lane, now);
}
