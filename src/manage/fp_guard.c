/* wi_fp_guard: the flags that a block's arithmetic raises become its error. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manage/code_place.h"
#include "manage/fp_layer.h"
#include "manage/fp_registers.h"
#include "manage/fp_trap.h"
#include "record/complain.h"

/* ---- in words ---- */

static const struct {
    int except;
    const char *name;
} names[] = {
    {FE_INVALID, "invalid operation"}, {FE_DIVBYZERO, "division by zero"},
    {FE_OVERFLOW, "overflow"},         {FE_UNDERFLOW, "underflow"},
    {FE_INEXACT, "inexact result"},
};
enum { NAMES = sizeof names / sizeof *names, ALL_NAMES = 80 /* bytes, with what joins them */ };

typedef struct text {
    char of[ALL_NAMES];
} text;

/* "invalid operation, division by zero and overflow" */
static text listed(int excepts) {
    text list = {""};
    char *end = list.of;
    for (int i = 0; i < NAMES; i++) {
        if (!(excepts & names[i].except)) continue;
        excepts &= ~names[i].except;
        if (end > list.of) end = stpcpy(end, excepts ? ", " : " and ");
        end = stpcpy(end, names[i].name);
    }
    return list;
}

/* ---- which guards see what ---- */

static wi_fp_guard *next_guard(wi__fp_layer *layer, int outwards) {
    do layer = outwards ? layer->below : layer->above;
    while (layer && !layer->guard);
    return layer ? layer->guard : NULL;
}

/* What a block does not report is for those around it. @return what none of them looks for. */
static int hand_out(wi_fp_guard *guard, int excepts) {
    while (excepts && (guard = next_guard(&guard->traps, 1))) {
        guard->seen |= excepts & guard->excepts;
        excepts &= ~guard->excepts;
    }
    return excepts;
}

static uint32_t mark_of(const wi_fp_guard *guard) {
    return guard->marked ? wi__fp_mark(guard->excepts) : 0;
}

/* The guard's flags. Those that were before it stay where they are, for give_back. */
static int take_flags(wi_fp_guard *guard) {
    const wi_fp_guard *inner = next_guard(&guard->traps, 0);
    uint32_t flags = inner ? inner->outside : wi__fp_flags(), mark = mark_of(guard);
    int raised = (flags & mark) == mark ? wi__fp_excepts_of(flags & ~mark) : 0;
    return raised | guard->seen;
}

/* What was before the guard, or what the next one inside is to give back. */
static void give_back(wi_fp_guard *guard) {
    wi_fp_guard *inner = next_guard(&guard->traps, 0);
    if (inner)
        inner->outside = guard->outside;
    else if (guard->options.trap)
        wi__fp_set_flags(0); /* x87 would trap late, as soon as its control bits are set */
    wi__fp_layer_close(&guard->traps);
    if (!inner) wi__fp_set_flags(guard->outside);
}

/* ---- the block ---- */

static int traps(const wi_fp_guard *guard) { return guard->options.trap || guard->options.locate; }

static void check(const wi_fp_guard *guard) {
    if (!guard->excepts || guard->excepts & ~WI__FP_EXCEPTS)
        wi_raise(WI_VALUE_ERROR,
                 "fp_guard: %#x is no set of FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW "
                 "and FE_INEXACT",
                 (unsigned)guard->excepts);
    wi__fp_layer_check_closed(&guard->traps, "fp_guard");
}

/* Flags first: with x87, one that is raised would trap. */
static int begin(wi_fp_guard *guard) {
    uint32_t bits = wi__fp_trap_bits(guard->excepts);
    guard->seen = 0;
    guard->first = NULL;
    guard->traps.guard = guard;
    wi__fp_set_flags(mark_of(guard));
    return wi__fp_layer_open(&guard->traps, bits,
                             traps(guard) ? wi__fp_trapping(guard->excepts, guard->options.trap)
                                          : wi__fp_masked(guard->excepts)) &&
           (bits || !traps(guard));
}

/* Flags last: what the record does on the way raises some, too. */
static void end(wi_fp_guard *guard) {
    wi_let_go(guard->holding);
    give_back(guard);
    if (traps(guard)) wi__fp_trap_unwatch();
}

static void guard_enter(void *self) {
    wi_fp_guard *guard = self;
    check(guard);
    guard->outside = wi__fp_flags();
    guard->holding = wi_hold("fp_guard", "%s", listed(guard->excepts).of);
    if (traps(guard)) wi__fp_trap_watch();
    if (begin(guard)) return;
    end(guard);
    wi_raise_errno(ENOTSUP, "fp_guard: this processor cannot trap %s", listed(guard->excepts).of);
}

static void raise_flags(const wi_fp_guard *guard, int excepts) {
    char place[WI__CODE_PLACE] = "";
    if (guard->first) wi__code_place(guard->first, place, sizeof place);
    wi__raise(guard->place, WI_FLOATING_POINT_ERROR, "fp_guard: %s in this block%s%s",
              listed(excepts).of, guard->first ? ", first " : "", place);
}

static wi_verdict guard_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_fp_guard *guard = self;
    wi__fp_layer_check_open_here(&guard->traps, "fp_guard");
    int raised = take_flags(guard), own = raised & guard->excepts;
    int left = reason == WI_LEFT ? own : 0;
    left &= hand_out(guard, (raised & ~own) | left);
    end(guard);
    if (reason == WI_END && own) raise_flags(guard, own);
    if (left)
        wi__complain("fp_guard: %s in the block at %s:%d, which was left early: no error is raised",
                     listed(left).of, guard->place->file, guard->place->line);
    return WI_PROPAGATE;
}

static void guard_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", listed(((const wi_fp_guard *)self)->excepts).of);
}

static const wi_protocol guard_protocol = {"fp_guard", guard_enter, guard_exit, guard_describe};

wi_fp_guard wi__fp_guard(const wi_place *place, int excepts, wi_fp_guard_options options) {
    wi_fp_guard guard = {
        &guard_protocol, place, excepts, options, 0, 0, 0, NULL, {0, 0, NULL, NULL, NULL, NULL},
        {NULL, 0}};
    return guard;
}

/* ---- the instruction ---- */

int wi__fp_is_on_chain(const wi_fp_guard *guard) {
    const wi__frame *frame = wi__self.top;
    while (frame && frame->manager != guard) frame = frame->previous;
    return frame != NULL;
}

wi_fp_guard *wi__fp_guard_of(int except) {
    for (wi__fp_layer *layer = wi__fp_innermost; layer; layer = layer->below)
        if (layer->guard && layer->guard->excepts & except) return layer->guard;
    return NULL;
}

void wi__fp_raise_trapped(const wi_fp_guard *guard, int except, const void *instruction) {
    char place[WI__CODE_PLACE];
    wi__code_place(instruction, place, sizeof place);
    wi__raise(guard->place, WI_FLOATING_POINT_ERROR, "fp_guard: %s %s", listed(except).of, place);
}
