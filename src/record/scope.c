/* Sections that begin on a new path, end where they did not begin, or pass an error. */
#include "record/scope.h"

#include <stdio.h>

#include "record/chain.h"
#include "record/fork.h"
#include "record/ledger.h"
#include "record/watched.h"

static int is_marked(const wi__opened *opened) { return ((uintptr_t)opened->branch & 1) != 0; }

wi__branch *wi__scope_branch(const wi__opened *opened) {
    return (wi__branch *)(is_marked(opened) ? (char *)opened->branch - 1 : opened->branch);
}

/* The branch of a call that is looked at is marked: its end is not the current one's, and goes the slow way. */
WI__RARE static void open_watched(wi__opened *opened, const wi__child *child) {
    int is_looked_at = wi__watch_before(child->branch);
    wi__scope_open(opened, &wi__self, child, wi__ticks());
    if (!is_looked_at) return;
    wi__watch_began(child->branch, opened->start);
    opened->branch = (char *)opened->branch + 1;
}

static void open_child(wi__opened *opened, wi__lane *lane, wi__branch *child) {
    wi__header *header = wi__record_header();
    wi__branch *parent = wi__self.branch;
    if (!child) __atomic_add_fetch(&header->dropped, 1, __ATOMIC_RELAXED);
    if (child && child == lane->other) {
        __atomic_add_fetch(&header->folded, 1, __ATOMIC_RELAXED);
        if (parent == child) return; /* inside "(other)" already: its time must not count twice */
        child->parent = parent;
        child->depth = parent->depth + 1;
        child->state = WI__ON_ITS_CHAIN;
        lane->region->other_parent = parent->cell;
        wi__self.due = 0; /* its end has more to do */
    }
    if (!child) return;
    wi__child found = {0, child, child->node, child->cell};
    if (WI__UNLIKELY(wi__who_watches() != NULL))
        open_watched(opened, &found);
    else
        wi__scope_open(opened, &wi__self, &found, wi__ticks());
}

void wi__scope_begin_slowly(wi__opened *opened, const char *name) {
    wi__lane *lane = wi__lane_here();
    opened->branch = NULL;
    if (lane) open_child(opened, lane, wi__child_of_site(wi__self.branch, opened->site, name));
}

void wi__scope_begin_again(wi__opened *opened, const char *name, uint64_t now) {
    wi__branch *parent = wi__self.branch;
    if (parent && wi__cache_known_child(parent, opened->site))
        wi__scope_begin_at(opened, &wi__self, (uintptr_t)opened->site, now);
    else
        wi__scope_begin_slowly(opened, name);
}

void wi__scope_begin_by_call(wi__opened *opened, const char *name) {
    uint64_t now = wi__clock_read();
    if (!wi__scope_begin_at(opened, &wi__self, (uintptr_t)opened->site, now))
        wi__scope_begin_again(opened, name, now);
}

void wi__scope_begin_by_name(wi__opened *opened, const char *name) {
    wi__lane *lane = wi__lane_here();
    opened->branch = NULL;
    if (lane) open_child(opened, lane, wi__child_of_name(wi__self.branch, name));
}

static void tally_mismatch(const wi__branch *branch, const wi_place *site, const char *what) {
    enum { SHOWN = 60 };
    char where[sizeof((wi__tally *)0)->where];
    const wi__text *name = wi__cell(branch->node->name);
    int shown = name->length < SHOWN ? name->length : SHOWN;
    int length = snprintf(where, sizeof where, "\"%.*s\"", shown, name->bytes);
    if (site)
        snprintf(where + length, sizeof where - (size_t)length, " at %s:%d in %s", site->file,
                 site->line, site->function);
    wi__record_tally(WI__MISMATCHED, what, where);
}

static void count(wi__branch *branch, uint64_t start, uint64_t now, int raised) {
    uint64_t ticks = wi__count_call(branch, start, now, raised);
    if (branch == branch->lane->other) branch->parent->node->folded += ticks;
    wi__fork_closed(branch);
}

static void leave_innermost(void) {
    wi__branch *branch = wi__self.branch;
    if (branch->state == WI__GHOST) branch->state = WI__ON_ITS_CHAIN;
    wi__self.branch = branch->parent;
    *wi__self.current = branch->parent->cell;
}

/* Count the call of the thread's innermost section, and close it. Its start is the node's, which a fork
 * has set anew. */
static void close_innermost(uint64_t now, int raised) {
    wi__branch *branch = wi__self.branch;
    count(branch, branch->node->start, now, raised);
    leave_innermost();
}

/* Close what was opened inside a branch and never closed: its time up to here is not lost. Spans end when
 * they will. */
static void close_down_to(const wi__branch *branch, uint64_t now, const char *what) {
    while (wi__self.branch != branch) {
        const wi__branch *innermost = wi__self.branch;
        if (wi__is_span(innermost) || innermost->state == WI__GHOST) {
            leave_innermost();
            continue;
        }
        tally_mismatch(innermost, NULL, what);
        close_innermost(now, 0);
    }
}

/* Spans have moved the thread away from it: where it goes on now is around it. */
static void close_set_aside(const wi__opened *opened, uint64_t now, int raised) {
    wi__branch *branch = wi__scope_branch(opened);
    count(branch, wi__counted_from(branch, opened->start), now, raised);
    branch->state = WI__ON_ITS_CHAIN;
    wi__chain_move(wi__open_above(branch));
}

void wi__scope_close_all(void) {
    const wi__lane *lane = wi__self.lane;
    close_down_to(lane->root, wi__ticks(), "still open when its thread ended");
}

wi_verdict wi__scope_end_by_call(const wi__opened *opened, wi_reason reason) {
    uint64_t now = wi__clock_read();
    if (wi__scope_end_at(opened, &wi__self, reason, now)) return WI_PROPAGATE;
    return wi__scope_end_slowly(opened, reason, now);
}

void wi__scope_keep_up(wi__lane *here, uint64_t now) {
    if (now >= here->next_anchor) wi__record_renew_anchor(here, now);
    wi__watch_keep_up(here, now);
    uint64_t due = here->watch_due < here->next_anchor ? here->watch_due : here->next_anchor;
    wi__self.due = wi__fork_is_inside_inherited() ? 0 : due;
}

wi_verdict wi__scope_end_slowly(const wi__opened *opened, wi_reason reason, uint64_t now) {
    wi__branch *branch = wi__scope_branch(opened);
    wi__lane *here = branch ? wi__lane_here() : NULL;
    if (!here) return WI_PROPAGATE;
    int is_on_chain = branch->lane == here && wi__is_on_chain(branch);
    int is_open = is_on_chain ? branch->state != WI__GHOST : branch->state == WI__SET_ASIDE;
    if (branch->lane != here || !is_open) {
        tally_mismatch(branch, opened->site,
                       branch->lane == here ? "ended when it was no longer open"
                                            : "ended on another thread");
        return WI_PROPAGATE;
    }
    if (is_on_chain) {
        close_down_to(branch, now, "still open when the section around it ended");
        close_innermost(now, reason == WI_RAISED);
    } else {
        close_set_aside(opened, now, reason == WI_RAISED);
    }
    if (is_marked(opened)) wi__watch_after(branch, opened->start, now);
    wi__scope_keep_up(here, now);
    return WI_PROPAGATE;
}
