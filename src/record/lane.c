/* Lanes and their regions: taken by threads, given back, taken again. */
#include "record/lane.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/clock.h"
#include "record/ledger.h"
#include "record/tree.h"

static wi__lane *all;
static wi__lane *without_thread;

static int grow_tree(wi__lane *lane) {
    lane->root = wi__branch_new(lane, NULL, "");
    lane->other = lane->root ? wi__branch_new(lane, lane->root, "(other)") : NULL;
    return lane->other != NULL;
}

/* The list of regions is only ever added to at its end, so that a reader can follow it at any time. */
static void publish(wi__lane *lane, uint32_t cell) {
    wi__header *header = wi__record_header();
    wi__region *region = lane->region;
    region->current = region->root = region->other_parent = lane->root->cell;
    region->other = lane->other->cell;
    __atomic_store_n(all ? &all->region->next_region : &header->first_region, cell,
                     __ATOMIC_RELEASE);
    lane->next = all;
    all = lane;
}

static wi__lane *lane_new(void) {
    uint32_t cell = wi__arena_allocate(WI__CELLS(sizeof(wi__region)));
    wi__lane *lane = cell ? calloc(1, sizeof *lane) : NULL;
    if (!lane) return NULL;
    lane->region = wi__cell(cell);
    lane->watch_due = UINT64_MAX;
    if (!grow_tree(lane)) {
        if (lane->root) free(lane->root);
        free(lane);
        return NULL;
    }
    publish(lane, cell);
    return lane;
}

wi__lane *wi__lane_take(void) {
    wi__lane *lane = without_thread;
    if (lane)
        without_thread = lane->next_free;
    else
        lane = lane_new();
    if (!lane) return NULL;
    lane->region->thread = (uint32_t)syscall(SYS_gettid);
    lane->region->threads++;
    return lane;
}

wi__lane *wi__lanes(void) { return all; }

void wi__lane_give_back(wi__lane *lane) {
    lane->region->current = lane->region->root;
    lane->region->thread = 0;
    lane->next_free = without_thread;
    without_thread = lane;
}

void wi__lanes_restart(const wi__lane *keep, uint64_t now) {
    without_thread = NULL;
    if (all) all->region->next_region = 0; /* the parent may have had more since */
    for (wi__lane *lane = all; lane; lane = lane->next) {
        wi__tree_zero(lane->root, now, lane == keep);
        memset(wi__cell(lane->slab), 0, (size_t)(lane->slab_end - lane->slab) * WI__CELL_BYTES);
        lane->region->gpu = lane->gpu; /* as for regions */
        lane->next_anchor = 0;
        lane->region->threads = lane == keep;
        lane->region->thread = (uint32_t)syscall(SYS_gettid);
        if (lane == keep) continue;
        memset(lane->region->holds, 0, sizeof lane->region->holds);
        wi__lane_give_back(lane);
    }
}
