/* Spans: sections that begin and end in any order, on any thread. */
#include "record/span.h"

#include "record/chain.h"
#include "record/scope.h"
#include "record/watched.h"

/* ---- begin ---- */

WI__INLINE void open_span(wi_span *span, wi__thread *thread, const wi__child *child, uint64_t now) {
    wi__node *node = child->node;
    span->branch = child->branch;
    span->around = NULL;
    span->start = now;
    node->start = now;
    node->starts += now;
    node->spans++;
    thread->branch = child->branch;
    *thread->current = child->cell;
}

/* 0 if this branch has not opened it lately, or is not one to open it in. */
WI__INLINE int begin_at(wi_span *span, wi__thread *thread, wi__branch *parent, uintptr_t key,
                        uint64_t now) {
    if (WI__UNLIKELY(!parent || wi__is_over(parent))) return 0;
    const wi__child *child = wi__cached_child(parent, key);
    if (WI__UNLIKELY(child->key != key || !key)) return 0;
    open_span(span, thread, child, now);
    return 1;
}

WI__INLINE int begin_here(wi_span *span, wi__thread *thread, uintptr_t key, uint64_t now) {
    return begin_at(span, thread, thread->branch, key, now);
}

/* No room for its path: its time goes to "(other)", and the thread stays where it is. */
static void fold(wi_span *span, wi__branch *parent) {
    __atomic_add_fetch(&wi__record_header()->folded, 1, __ATOMIC_RELAXED);
    if (parent == parent->lane->other)
        return; /* inside it already: its time must not count twice */
    span->branch = parent->lane->other;
    span->around = parent;
    span->start = wi__ticks();
}

static wi__branch *child_for(wi__branch *parent, const void *site, const char *name) {
    wi__branch *child =
        site ? wi__child_of_site(parent, site, name) : wi__child_of_span_name(parent, name);
    if (!child) __atomic_add_fetch(&wi__record_header()->dropped, 1, __ATOMIC_RELAXED);
    if (child && child != parent->lane->other && !wi__is_span(child)) child->node->spans = 1;
    return child;
}

static wi__branch *cached_child(wi__branch *parent, const void *site) {
    const wi__child *cached = wi__cached_child(parent, (uintptr_t)site);
    return site && cached->key == (uintptr_t)site ? cached->branch : NULL;
}

WI__RARE static void begin_in(wi_span *span, wi__branch *parent, const void *site,
                              const char *name) {
    wi__branch *child = cached_child(parent, site), *around = wi__self.branch;
    if (!child) child = child_for(parent, site, name);
    span->branch = span->around = NULL;
    if (child == parent->lane->other) fold(span, parent);
    if (!child || child == parent->lane->other) return;
    if (parent != around) wi__chain_move(parent);
    int is_watched = wi__watch_before(child);
    wi__child found = {0, child, child->node, child->cell};
    open_span(span, &wi__self, &found, wi__ticks());
    if (is_watched) wi__watch_began(child, span->start);
    if (parent != around) span->around = around;
}

/* The branch that a span's children belong to in the calling thread; NULL if there is none. */
static wi__branch *branch_here(const wi_span *span) {
    wi__branch *branch = span->branch;
    if (branch && branch == branch->lane->other) branch = span->around;
    if (branch) branch = wi__same_branch(wi__self.lane, branch);
    return branch && branch != branch->lane->other ? branch : NULL;
}

WI__RARE static void begin_slowly(wi_span *span, const wi_span *parent, const void *site,
                                  const char *name) {
    span->branch = NULL;
    if (!wi__lane_here()) return;
    wi__branch *below = parent ? branch_here(parent) : NULL;
    begin_in(span, below ? below : wi__branch_here(), site, name);
}

void wi__span_begin(wi_span *span, const wi_span *parent, const wi_place *site, const char *name) {
    uint64_t now = wi__ticks();
    if (parent || !begin_here(span, wi__scope_thread(), (uintptr_t)site, now))
        begin_slowly(span, parent, site, name);
}

/* ---- from thread to thread ---- */

static uint64_t start_of(const wi_span *span) {
    return wi__counted_from(span->branch, span->start);
}

static void open_in(wi_span *span, wi__branch *same, uint64_t start) {
    wi__node *node = same->node;
    if (!node->spans) node->spans = 1;
    span->branch = same;
    span->around = NULL;
    span->start = node->start = start;
    node->starts += start;
    node->spans++;
}

/* No thread writes figures into another's tree: a span that is worked on here becomes one of this thread's.
 * 0 if it cannot be measured here. */
static int bring_here(wi__lane *here, wi_span *span) {
    wi__branch *branch = span->branch;
    if (!branch || branch->lane == here || branch == branch->lane->other) return branch != NULL;
    if (span->start < branch->emptied) return 0;
    uint64_t start = start_of(span);
    wi__branch *same = wi__same_branch(here, branch);
    __atomic_add_fetch(&branch->node->away_starts, start, __ATOMIC_RELAXED);
    __atomic_add_fetch(&branch->node->away, 1, __ATOMIC_RELEASE);
    span->branch = NULL;
    if (!same) return 0;
    if (same != here->other)
        open_in(span, same, start);
    else
        *span = (wi_span){same, here->root, start};
    return 1;
}

/* ---- what encloses what, told by the caller ---- */

/* The innermost on the thread's chain of those spans; NULL if there is none. */
static wi__branch *innermost_told(void) {
    wi__branch *branch = wi__self.branch;
    while (branch && !branch->told) branch = branch->parent;
    return branch;
}

/* Below all of them there may be other sections, into which the caller was called. */
static wi__branch *below_all_told(void) {
    wi__branch *lowest = wi__self.branch;
    for (wi__branch *branch = lowest; branch; branch = branch->parent)
        if (branch->told) lowest = branch->parent;
    while (lowest && wi__is_over(lowest)) lowest = lowest->parent;
    return lowest;
}

static wi__branch *inside(wi_span *around) {
    wi__branch *here = around && bring_here(wi__self.lane, around) ? branch_here(around) : NULL;
    if (!here) return below_all_told();
    return innermost_told() == here ? wi__branch_here() : here;
}

static void set_told(const wi_span *span) {
    wi__branch *branch = span->branch;
    if (branch && branch != branch->lane->other) branch->told = 1;
}

/* From the lane's root into a tree apart: no plain section is open that would have to be remembered. */
WI__INLINE int begin_apart(wi_span *span, wi__thread *thread, wi__branch *root, uintptr_t key,
                           uint64_t now) {
    wi__branch *before = thread->branch;
    if (!root || !before || root->parent != before || !root->apart) return 0;
    if (!begin_at(span, thread, root, key, now)) return 0;
    span->around = before;
    return 1;
}

WI__INLINE int begin_where_told(wi_span *span, const wi_span *around, uintptr_t key, uint64_t now) {
    wi__thread *thread = wi__scope_thread();
    const wi__branch *current = thread->branch;
    if (!current) return 0;
    if (around ? around->branch == current : !current->parent)
        return begin_here(span, thread, key, now);
    return around && begin_apart(span, thread, around->branch, key, now);
}

void wi__span_begin_inside(wi_span *span, wi_span *around, const void *site, const char *name) {
    uint64_t now = wi__ticks();
    if (begin_where_told(span, around, (uintptr_t)site, now)) return;
    span->branch = NULL;
    span->start = now;
    if (!wi__lane_here()) return;
    begin_in(span, inside(around), site, name);
    set_told(span);
}

void wi__span_begin_dropped(wi_span *span) {
    span->branch = NULL;
    span->start = wi__ticks();
    if (wi__lane_here()) __atomic_add_fetch(&wi__record_header()->dropped, 1, __ATOMIC_RELAXED);
}

void wi__span_return_to(wi_span *around) {
    if (wi__lane_here()) wi__chain_move(inside(around));
}

/* ---- end ---- */

/* Where the thread is once a span that it is in has ended: where it was before, if that is still open. */
static void step_out(wi__branch *branch, wi__branch *around) {
    wi__branch *before = wi__still_open(around);
    wi__chain_move(before ? before : wi__open_above(branch));
}

/* A thread that was never inside of it stays where it is. */
static void end_here(const wi_span *span, uint64_t now, wi_reason reason, int is_elsewhere) {
    wi__branch *branch = span->branch;
    uint64_t start = start_of(span);
    wi__count_call(branch, start, now, reason == WI_RAISED);
    branch->node->spans--;
    branch->node->starts -= start;
    int was_inside = !is_elsewhere || wi__is_on_chain(branch);
    if (was_inside && !wi__is_root_apart(branch)) step_out(branch, span->around);
    wi__watch_after(branch, span->start, now);
}

static void end_folded(wi__lane *here, const wi_span *span, uint64_t now, wi_reason reason) {
    wi__branch *parent = wi__same_branch(here, span->around);
    uint64_t ticks = wi__count_call(here->other, start_of(span), now, reason == WI_RAISED);
    if (parent) parent->node->folded += ticks;
}

static void end_measured(wi__lane *here, wi_span *span, uint64_t now, wi_reason reason) {
    wi__branch *branch = span->branch;
    int is_elsewhere = branch->lane != here;
    if (span->start < branch->emptied || !bring_here(here, span)) return;
    branch = span->branch;
    if (branch == branch->lane->other)
        end_folded(here, span, now, reason);
    else
        end_here(span, now, reason, is_elsewhere);
}

WI__RARE static void end_slowly(wi_span *span, wi_reason reason, uint64_t now) {
    wi__branch *branch = span->branch;
    wi__lane *here = branch ? wi__lane_here() : NULL;
    uint64_t start = here ? start_of(span) : span->start;
    if (here) end_measured(here, span, now, reason);
    if (branch) span->start = now - start;
    span->branch = NULL;
    if (here) wi__scope_keep_up(here, now);
}

/* Where the thread is after it; NULL if that has to be found out. */
WI__INLINE wi__branch *next_of(const wi_span *span, const wi__branch *branch) {
    wi__branch *parent = branch->parent, *around = span->around;
    if (!around) return wi__is_over(parent) ? NULL : parent;
    return parent->apart && parent->parent == around ? around : NULL; /* begin_apart */
}

/* 0 if there is more to do. */
WI__INLINE int end_at(wi_span *span, wi__thread *thread, wi_reason reason, uint64_t now) {
    wi__branch *branch = span->branch;
    if (WI__UNLIKELY(!branch || thread->branch != branch || now >= thread->due)) return 0;
    if (WI__UNLIKELY(reason == WI_RAISED || span->start < branch->hurdle)) return 0;
    wi__branch *next = next_of(span, branch);
    uint64_t ticks = now - span->start;
    if (WI__UNLIKELY(!next || ticks >> 32)) return 0;
    wi__node *node = branch->node;
    if (WI__UNLIKELY(!wi__node_add_call(node, ticks))) return 0;
    node->spans--;
    node->starts -= span->start;
    span->branch = NULL;
    span->start = ticks;
    thread->branch = next;
    *thread->current = next->cell;
    return 1;
}

void wi_span_end(wi_span *span, wi_reason reason) {
    wi__thread *thread = wi__scope_thread();
    uint64_t now = wi__ticks();
    if (!end_at(span, thread, reason, now)) end_slowly(span, reason, now);
}

/* ---- suspend and resume ---- */

void wi_span_suspend(wi_span *span) {
    wi__lane *here = span->branch ? wi__lane_here() : NULL;
    wi__branch *branch = span->branch;
    if (!here || branch->lane != here || branch == here->other || !wi__is_on_chain(branch)) return;
    step_out(branch, span->around);
    span->around = NULL;
}

void wi_span_resume(wi_span *span) {
    wi__lane *here = span->branch ? wi__lane_here() : NULL;
    wi__branch *branch = here && bring_here(here, span) ? span->branch : NULL;
    if (!branch || branch == here->other || branch == wi__self.branch) return;
    span->around = wi__self.branch;
    wi__chain_move(branch);
}

/* ---- trees apart ---- */

void wi__span_root(wi_span *span, const char *name) {
    wi__lane *here = wi__lane_here();
    span->branch = NULL;
    if (!here) return;
    wi__branch *root = wi__tree_apart(here, name);
    if (root && root != here->other) open_in(span, root, wi__ticks());
}

void wi__span_forget(const char *name) {
    if (!wi__lane_here()) return;
    wi__record_lock();
    uint64_t now = wi__ticks();
    for (wi__lane *lane = wi__lanes(); lane; lane = lane->next) {
        wi__branch *root = wi__known_tree_apart(lane, name);
        if (root) wi__tree_zero(root, now, 1);
    }
    wi__record_unlock();
}

/* ---- time ---- */

uint64_t wi__span_ticks(void) { return wi__ticks(); }

double wi__span_seconds(uint64_t ticks) {
    if (!wi__lane_here() || wi__clock_in_use() == WI__CLOCK_MONOTONIC) return 1e-9 * (double)ticks;
    const wi__anchor *first = &wi__record_header()->first;
    wi__anchor now = wi__clock_anchor();
    double ns = (double)(now.monotonic_ns - first->monotonic_ns);
    return 1e-9 * ns * (double)ticks / (double)(now.ticks - first->ticks);
}
