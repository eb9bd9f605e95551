/* What becomes of the record in a forked child. */
#include "record/fork.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <within/block.h>

#include "record/clock.h"
#include "record/process.h"
#include "record/tree.h"
#include "record/watched.h"

/* The thread that forked keeps its lane, but its branch waits here: its next section is a rare case. */
static struct {
    int pending;
    uint32_t used_cells, nodes;  /* at the fork: the parent's file goes on changing */
    char parents_path[PATH_MAX]; /* empty: it had no file */
    const wi__lane *lane;
    wi__branch *branch;    /* the innermost section that was open at the fork */
    wi__branch *inherited; /* the innermost of plain ones that was, and still is; or the root */
} forked;

static void begin_header_again(void) {
    wi__header *header = wi__record_header();
    uint32_t parent = header->owner.pid;
    wi__header_begin(header);
    header->owner = wi__process_self();
    memset(&header->runner, 0, sizeof header->runner);
    header->forked_from = parent;
    header->anchor_seq = 0;
    header->nodes = forked.nodes;
    header->folded = header->dropped = header->unlisted = header->untallied = 0;
    header->ended = header->file_cells = 0;
    memset(&header->interruption, 0, sizeof header->interruption);
    memset(&header->grace, 0, sizeof header->grace);
    memset(header->tallies, 0, sizeof header->tallies);
}

/* Of all threads only the one that forked lives in the child. */
static void begin_lanes_again(void) {
    uint64_t now = wi__ticks();
    wi__watch_restart();
    wi__lanes_restart(wi__self.lane, now);
    for (wi__branch *open = forked.branch; open; open = open->parent) open->node->start = now;
    if (forked.branch) *wi__self.current = forked.branch->cell;
}

/* Spans remember a start of their own: only plain sections need to be looked after. */
static wi__branch *plain_from(wi__branch *branch) {
    while (branch && branch->node->spans) branch = branch->parent;
    return branch;
}

/* A child that has measured nothing and forks itself still has waiting what it came with. */
static void remember_parent(void) {
    const char *path = wi__arena_path();
    if (!forked.pending)
        snprintf(forked.parents_path, sizeof forked.parents_path, "%s", path ? path : "");
    if (wi__self.branch || wi__self.lane != forked.lane) forked.branch = wi__self.branch;
    forked.inherited = plain_from(forked.branch);
    forked.pending = 1;
    forked.lane = wi__self.lane;
    wi__self.branch = NULL;
    wi__self.due = 0;
}

static void leave_parent(void) {
    remember_parent();
    if (wi__arena_leave_file(forked.used_cells)) {
        begin_header_again();
        begin_lanes_again();
    } else { /* no memory: the child is not measured */
        wi__arena = NULL;
        wi__self.lane = NULL;
    }
}

static void in_child(void) {
    if (wi__arena) leave_parent();
    wi__record_unlock();
}

static void before(void) {
    wi__record_lock();
    if (!wi__arena) return;
    forked.used_cells = wi__record_header()->used_cells;
    forked.nodes = wi__record_header()->nodes;
}

void wi__fork_watch(void) { pthread_atfork(before, wi__record_unlock, in_child); }

int wi__fork_is_pending(void) { return forked.pending; }

const char *wi__fork_settle(char *path, size_t size) {
    if (wi__self.lane) wi__self.branch = forked.branch;
    if (!forked.pending) return NULL;
    forked.pending = 0;
    if (!forked.parents_path[0]) return NULL;
    snprintf(path, size, "%s.%d", forked.parents_path, (int)getpid());
    return path;
}

void wi__fork_closed(const wi__branch *branch) {
    if (branch->lane == forked.lane && branch == forked.inherited)
        forked.inherited = plain_from(branch->parent);
}

int wi__fork_is_inside_inherited(void) {
    return wi__self.lane == forked.lane && forked.inherited && forked.inherited->parent;
}
