/* Moving a thread from one chain of open sections to another. */
#include "record/chain.h"

wi__branch *wi__branch_here(void) {
    wi__branch *branch = wi__self.branch;
    while (branch->parent && wi__is_over(branch)) branch = branch->parent;
    return branch;
}

int wi__is_on_chain(const wi__branch *branch) {
    const wi__branch *on_chain = wi__self.branch;
    while (on_chain->depth > branch->depth) on_chain = on_chain->parent;
    return on_chain == branch;
}

static int is_open(const wi__branch *branch) {
    if (!branch->parent) return 1;
    if (wi__is_root_apart(branch)) return 0;
    if (wi__is_span(branch)) return wi__spans_open(branch->node) > 0;
    if (branch->state == WI__ON_ITS_CHAIN) return wi__is_on_chain(branch);
    return branch->state == WI__SET_ASIDE;
}

wi__branch *wi__open_above(const wi__branch *branch) {
    wi__branch *above = branch->parent;
    while (!is_open(above)) above = above->parent;
    return above;
}

wi__branch *wi__still_open(wi__branch *branch) {
    return branch && branch->lane == wi__self.lane && is_open(branch) ? branch : NULL;
}

static void leave(wi__branch *branch) {
    if (!wi__is_span(branch))
        branch->state = branch->state == WI__GHOST ? WI__ON_ITS_CHAIN : WI__SET_ASIDE;
}

static void join(wi__branch *branch) {
    if (!wi__is_span(branch))
        branch->state = branch->state == WI__SET_ASIDE ? WI__ON_ITS_CHAIN : WI__GHOST;
}

/* What the two chains share stays as it is. */
void wi__chain_move(wi__branch *to) {
    wi__branch *from = wi__self.branch, *joined = to;
    while (from != joined) {
        if (from->depth >= joined->depth) {
            leave(from);
            from = from->parent;
        } else {
            join(joined);
            joined = joined->parent;
        }
    }
    wi__self.branch = to;
    *wi__self.current = to->cell;
}
