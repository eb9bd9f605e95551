/* Explaining what was told: an inventory at one call's begin, and at the end of the call after which enough has grown. */
#include <stdio.h>
#include <stdlib.h>

#include "manage/inventory.h"
#include "manage/watching.h"
#include "record/ledger.h"

/* While it is being taken, a destructor may run calls of the same section. */
typedef enum stage { ASKED, BEGINNING, BEGUN } stage;

struct wi__explaining {
    wi__inventory *inventory;
    stage stage;
    const wi__watch_path *told; /* the path that was judged, which has the finding's name */
    double per_call;
    uint64_t first_call;
    int64_t level; /* at its begin */
};

static int at_once; /* inventories that there are: memory for a few, and time */

static void forget(wi__explaining *explaining) {
    wi__inventory_free(explaining->inventory);
    free(explaining);
    __atomic_sub_fetch(&at_once, 1, __ATOMIC_RELAXED);
}

static wi__explaining *explaining_new(const wi__counter *counter) {
    enum { MOST = 4 };
    int number = __atomic_fetch_add(&at_once, 1, __ATOMIC_RELAXED);
    wi__explaining *explaining = number < MOST ? calloc(1, sizeof *explaining) : NULL;
    if (explaining) explaining->inventory = wi__inventory_new(counter);
    if (explaining && explaining->inventory) return explaining;
    free(explaining);
    __atomic_sub_fetch(&at_once, 1, __ATOMIC_RELAXED);
    return NULL;
}

void wi__explain(wi__watch_path *culprit, const wi__watch_path *told, int counter,
                 double per_call) {
    wi__explaining **place = &culprit->explaining[counter];
    if (!*place) *place = explaining_new(wi__counter_at(counter));
    if (!*place || (*place)->stage != ASKED) return;
    (*place)->told = told;
    (*place)->per_call = per_call;
}

void wi__explain_no_more(wi__watch_path *path) {
    for (int i = 0; i < WI__COUNTERS; i++) {
        wi__explaining *explaining = path->explaining[i];
        if (!explaining || explaining->stage == BEGINNING) continue;
        path->explaining[i] = NULL;
        forget(explaining);
    }
}

/* What only waits to be given back is no part of it. */
static void settle(int counter) {
    if (wi__counter_at(counter)->growth == WI__IS_SUSPICION) wi__counters_settle();
}

/* ---- begin ---- */

static void begin(const wi__watch_path *path, int counter, wi__explaining *explaining) {
    explaining->stage = BEGINNING;
    explaining->first_call = path->watched.branch->node->calls + 1;
    settle(counter);
    wi__inventory_begin(explaining->inventory);
    explaining->level = wi__counters_read(WI__ALL_COUNTERS).of[counter];
    explaining->stage = BEGUN;
}

void wi__explain_begin(wi__watch_path *path) {
    for (int i = 0; i < WI__COUNTERS; i++)
        if (path->explaining[i] && path->explaining[i]->stage == ASKED)
            begin(path, i, path->explaining[i]);
}

/* ---- end ---- */

/* As much as is worth a word: so that it stands out from what comes and goes. */
static int is_enough(const wi__explaining *explaining, int counter, uint64_t call, int64_t level) {
    int64_t least = wi__counter_at(counter)->least;
    double calls = (double)(call - explaining->first_call + 1);
    if (level == WI__ABSENT || explaining->level == WI__ABSENT) return 0;
    return level - explaining->level >= least && calls * explaining->per_call >= (double)least;
}

static void tell(const wi__watch_path *told, int counter, const char *lines, uint64_t from,
                 uint64_t to) {
    char path[4096], heading[400];
    const char *name = told->names[counter];
    const wi__counter *what = wi__counter_at(counter);
    snprintf(heading, sizeof heading, "%s: more %s after call %llu than before call %llu", name,
             what->many, (unsigned long long)to, (unsigned long long)from);
    wi__branch_path(told->watched.branch, path, sizeof path);
    wi__record_explanation(told->lines[counter], lines);
    wi__watch_hand_explanation(name, what->many, path, !told->is_named, heading, lines);
}

static void end(const wi__watch_path *path, int counter, wi__explaining *explaining) {
    char lines[WI_EXPLANATION];
    settle(counter);
    wi__inventory_end(explaining->inventory);
    wi__inventory_text(explaining->inventory, lines, sizeof lines);
    if (!*lines) snprintf(lines, sizeof lines, "nothing that can be listed");
    tell(explaining->told, counter, lines, explaining->first_call,
         path->watched.branch->node->calls);
}

/* Nothing is told of what has been withdrawn meanwhile. */
void wi__explain_end(wi__watch_path *path, const wi__levels *levels) {
    uint64_t call = path->watched.branch->node->calls;
    for (int i = 0; i < WI__COUNTERS; i++) {
        wi__explaining *explaining = path->explaining[i];
        if (!explaining || explaining->stage != BEGUN) continue;
        int is_over = !explaining->told->series[i].is_told;
        if (!is_over && !is_enough(explaining, i, call, levels->of[i])) continue;
        path->explaining[i] = NULL;
        if (!is_over) end(path, i, explaining);
        forget(explaining);
    }
}
