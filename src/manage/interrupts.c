/* wi_interrupts: signals become an error at the next safe point. */
#include <within/interrupts.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "block/chain.h"
#include "manage/interrupt_blocks.h"
#include "manage/safe_point.h"
#include "record/interruption.h"
#include "record/signal_name.h"

/* ---- raising ---- */

_Noreturn static void raise_signal(const wi_place *place, const wi__signal *signal) {
    char who[32] = "", left[64] = "";
    double grace_s = wi__interrupts_grace(signal);
    wi__record_signal_raised(grace_s);
    if (signal->sender) snprintf(who, sizeof who, " from process %u", signal->sender);
    if (grace_s > 0)
        snprintf(left, sizeof left, "; %.3g s of %.3g s are left",
                 wi__seconds_left(grace_s, signal->age_s), grace_s);
    wi__raise_signal(place, signal->number, "%s%s%s", wi__signal_name(signal->number).text, who,
                     left);
}

static void raise_what_is_due(const wi_place *place, wi__frame *link) {
    if (!wi__interrupts_may_come() || wi__is_in_exit(link)) return;
    wi__signal signal = wi__interrupts_claim(link);
    if (signal.number) raise_signal(place, &signal);
}

void wi__safe_point(const wi_place *place) { raise_what_is_due(place, wi__self.top); }

/* The mark of this exit itself does not count. */
void wi__safe_point_of_exit(const wi_place *place) {
    wi__frame *top = wi__self.top;
    if (wi__safe_point_is_due() && !((uintptr_t)top & WI__IN_OUTER_EXIT))
        raise_what_is_due(place, wi__unmarked(top));
}

/* ---- the manager ---- */

static const int usual[] = {SIGTERM, SIGINT, SIGUSR1};

static wi__signal_set wanted(const wi_interrupts_options *options) {
    wi__signal_set set = 0;
    for (size_t i = 0; i < WI_SIGNALS_MAX && options->signals[i]; i++)
        set |= wi__signal_bit(options->signals[i]);
    if (set) return set;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) set |= wi__signal_bit(usual[i]);
    return wi__signals_not_ignored(set);
}

static void check(const wi_interrupts_options *options) {
    if (!(options->grace_s >= 0 && isfinite(options->grace_s)))
        wi_raise(WI_VALUE_ERROR, "interrupts: a grace_s of %g: it must be 0 or more, and finite",
                 options->grace_s);
    for (size_t i = 0; i < WI_SIGNALS_MAX && options->signals[i]; i++) {
        const char *objection = wi__signal_objection(options->signals[i]);
        if (objection)
            wi_raise(WI_VALUE_ERROR, "interrupts: %s: %s",
                     wi__signal_name(options->signals[i]).text, objection);
    }
}

static void interrupts_describe(const void *self, char *buffer, size_t size) {
    const wi_interrupts *block = self;
    wi__signal_set set = block->is_open ? block->taken : wanted(&block->options);
    size_t used = 0;
    buffer[0] = '\0';
    for (int number = 1; number <= WI__SIGNALS && used < size; number++)
        if (set & wi__signal_bit(number))
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? " " : "",
                                     wi__signal_name(number).text);
}

static void interrupts_enter(void *self) {
    char names[200];
    wi_interrupts *block = self;
    if (block->is_open)
        wi_raise(WI_USAGE_ERROR, "interrupts: the block is open already; use one manager a block");
    check(&block->options);
    block->taken = wanted(&block->options);
    interrupts_describe(block, names, sizeof names);
    block->holding = wi_hold("signals", "%s", names);
    wi__interrupts_open(block);
}

/* The error of the signal is not to be: it acts as if it came now, if it has not been told to who is asked now. */
static void pass_on(int number) {
    wi__interruption_is_over();
    if (wi__releasing_at_exit)
        wi__end_by_signal(number);
    else if (wi__signal_ends_process(number))
        raise(number);
}

static wi_verdict interrupts_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error; /* it becomes the context */
    wi_interrupts *block = self;
    wi_let_go(block->holding);
    wi__signal unseen = wi__interrupts_close(block);
    if (unseen.number && reason != WI_LEFT) raise_signal(block->place, &unseen);
    if (unseen.number) pass_on(unseen.number);
    return WI_PROPAGATE;
}

static const wi_protocol interrupts_protocol = {"interrupts", interrupts_enter, interrupts_exit,
                                                interrupts_describe};

wi_interrupts wi__interrupts(const wi_place *place, wi_interrupts_options options) {
    wi_interrupts block = {
        .protocol = &interrupts_protocol, .options = options, .place = place, .is_open = 0};
    return block;
}

/* ---- wi_uninterrupted ---- */

static void uninterrupted_enter(void *self) {
    (void)self;
    wi__interrupts_hold_off(1);
}

static wi_verdict uninterrupted_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    wi__interrupts_hold_off(-1);
    return WI_PROPAGATE;
}

const wi_protocol wi__uninterrupted_protocol = {"uninterrupted", uninterrupted_enter,
                                                uninterrupted_exit, NULL};

/* ---- asking ---- */

int wi_interrupted(void) {
    wi__signal signal = wi__signal_now();
    return wi__interrupts_grace(&signal) >= 0 ? signal.number : 0;
}

double wi_grace_left(void) {
    wi__signal signal = wi__signal_now();
    return wi__seconds_left(wi__interrupts_grace(&signal), signal.age_s);
}
