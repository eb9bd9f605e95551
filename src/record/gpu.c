/* Counts of what paths did on a GPU: made, added to, found by readers from their region. */
#include "record/gpu.h"

#include <math.h>

#include "record/chain.h"

void (*wi__gpu_collect)(void);

/* From the moment that the region leads there readers see them. The lock is held. */
static wi__gpu_counts *counts_new(wi__branch *branch) {
    wi__lane *lane = branch->lane;
    uint32_t cell = wi__lane_allocate(lane, WI__CELLS(sizeof(wi__gpu_counts)));
    if (!cell) return NULL;
    wi__gpu_counts *counts = wi__cell(cell);
    counts->node = wi__cell_of(branch->node);
    counts->next = lane->gpu;
    lane->gpu = cell;
    __atomic_store_n(&lane->region->gpu, cell, __ATOMIC_RELEASE);
    __atomic_store_n(&branch->gpu, counts, __ATOMIC_RELEASE);
    return counts;
}

wi__gpu_counts *wi__gpu_counts_of(wi__branch *branch) {
    wi__gpu_counts *counts = __atomic_load_n(&branch->gpu, __ATOMIC_ACQUIRE);
    if (counts) return counts;
    wi__record_lock();
    counts = branch->gpu ? branch->gpu : counts_new(branch);
    wi__record_unlock();
    return counts;
}

wi__branch *wi__gpu_branch_here(void) {
    wi__branch *here = wi__self.branch ? wi__branch_here() : NULL;
    return here && here->parent ? here : NULL;
}

wi__branch *wi__gpu_branch_of_none(void) {
    const wi__lane *lane = wi__lane_here();
    return lane ? wi__child_of_name(lane->root, "(no section)") : NULL;
}

void wi__gpu_zero(wi__gpu_counts *counts) {
    wi__gpu_counts none = {.node = counts->node, .next = counts->next};
    *counts = none;
}

#define ADD(counter, amount) __atomic_add_fetch(counter, amount, __ATOMIC_RELAXED)

void wi__gpu_add_call(wi__gpu_counts *counts, int was_captured) {
    ADD(&counts->calls, 1);
    if (was_captured) ADD(&counts->captured, 1);
}

void wi__gpu_add_time(wi__gpu_counts *counts, double seconds) {
    ADD(&counts->time_ns, (uint64_t)llround(1e9 * fmax(seconds, 0)));
    ADD(&counts->timed, 1);
}

void wi__gpu_add_memory(wi__gpu_counts *counts, double delta, double peak) {
    ADD(&counts->tracked, 1);
    ADD(&counts->delta, (int64_t)delta);
    uint64_t bytes = (uint64_t)fmax(peak, 0); /* of NaN and of what a source gets wrong: 0 */
    uint64_t most = __atomic_load_n(&counts->peak, __ATOMIC_RELAXED);
    while (bytes > most && !__atomic_compare_exchange_n(&counts->peak, &most, bytes, 0,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}
