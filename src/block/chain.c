/* The chain of open blocks: errors go down it, releasing as they pass. */
#include "chain.h"

#include <stdio.h>
#include <stdlib.h>

#include "error.h"

wi_manager wi__base_frame, wi__handler_frame, wi__suppressor_frame, wi__guard_frame;
void (*wi__on_suppressed)(const wi_error *error);
void (*wi__on_uncaught_interruption)(wi_error *error);

void wi__suppressed(const wi_error *error) {
    if (wi__on_suppressed) wi__on_suppressed(error);
}

void wi__arm(wi__landing *landing, wi_manager *kind, wi_error *error) {
    landing->frame.manager = kind;
    landing->frame.place = NULL;
    landing->handling = wi__self.handling;
    landing->error = error;
    landing->armed = 1;
    wi__chain(&landing->frame);
}

void wi__disarm(wi__landing *landing) {
    if (!landing->armed) return;
    landing->armed = 0;
    wi__self.top = landing->frame.previous;
    wi__self.handling = landing->handling;
}

void wi__end_landing(wi__landing *landing) {
    wi__disarm(landing);
    wi__error_release(landing->error);
    landing->error = NULL;
}

void wi__suppressor_arm(wi__landing *landing) { wi__arm(landing, &wi__suppressor_frame, NULL); }

_Noreturn static void land(wi__landing *landing, wi_error *error) {
    wi__disarm(landing);
    wi__error_release(landing->error);
    landing->error = error;
    wi__self.dispatching = landing;
    longjmp(landing->env, 1);
}

static void print_uncaught(const wi_error *error) {
    size_t size = wi_error_format(error, NULL, 0) + 1;
    char small[2048], *text = malloc(size);
    if (!text) text = small, size = sizeof small;
    wi_error_format(error, text, size);
    fflush(stdout);
    fprintf(stderr, "within: %s, all blocks of the thread released\n%s",
            error->signal ? "interrupted" : "uncaught error", text);
    if (text != small) free(text);
}

/* A signal that should have ended the process by then, and did not, leaves a status as of a shell. */
_Noreturn static void uncaught(wi_error *error) {
    print_uncaught(error);
    if (!error->signal) exit(EXIT_FAILURE);
    wi__on_uncaught_interruption(error);
    wi__end_by_signal(error->signal);
    exit(128 + error->signal);
}

/* A frame's exit has said that the error ends here. */
_Noreturn static void suppress(wi__landing *landing, wi_error *error) {
    wi__suppressed(error);
    wi__error_release(error);
    land(landing, NULL);
}

/* Run the exit of a block that was taken off the chain. The guard keeps the error until it is over. */
static wi_verdict exit_raised(const wi_protocol *protocol, void *manager, wi_error *error) {
    if (!protocol->exit) return WI_PROPAGATE;
    wi__landing guard __attribute__((cleanup(wi__end_landing)));
    wi__arm(&guard, &wi__guard_frame, error);
    wi__self.handling = error;
    wi_verdict verdict = protocol->exit(manager, WI_RAISED, error);
    guard.error = NULL;
    return verdict;
}

_Noreturn static void reject_verdict(const wi_protocol *protocol, const wi_place *place,
                                     wi_error *error) {
    wi__landing guard;
    wi__arm(&guard, &wi__guard_frame, error);
    wi__self.handling = error;
    wi__raise(place, WI_USAGE_ERROR,
              "%s: its exit asked to suppress an error, which only a wi_suppressing_protocol may",
              protocol->name);
}

static void release(wi__frame *top, wi_error *error) {
    wi__frame block = wi__take_off(top);
    wi__frame *below = wi__unmarked(block.previous);
    const wi_protocol *protocol = wi__protocol_of(&block);
    wi__error_passed(error, protocol, block.manager, block.place);
    if (exit_raised(protocol, block.manager, error) != WI_SUPPRESS) return;
    if (below->manager != &wi__suppressor_frame) reject_verdict(protocol, block.place, error);
    suppress((wi__landing *)below, error);
}

_Noreturn void wi__unwind(wi_error *error) {
    if (!wi__self.top) wi__thread_begin();
    for (;;) {
        wi__frame *frame = wi__unmarked(wi__self.top);
        if (wi__protocol_of(frame)) {
            release(frame, error);
            continue;
        }
        if (frame->manager == &wi__base_frame) uncaught(error);
        wi__landing *landing = (wi__landing *)frame;
        if (frame->manager == &wi__handler_frame) land(landing, error);
        wi__end_landing(landing);
    }
}

wi__frame wi__take_off(wi__frame *top) {
    wi__frame taken = *top;
    wi__self.top = top->previous;
    if (wi__protocol_of(&taken))
        top->manager = NULL;
    else
        wi__end_landing((wi__landing *)top);
    return taken;
}

/* The exit is over, by its end or by a C++ exception: after an error nobody comes here. */
static void end_exit(wi__frame **around) { wi__self.top = *around; }

void wi__run_marked_exit(wi__frame *outside, const wi_protocol *protocol, void *manager,
                         wi_reason reason) {
    wi__frame *around __attribute__((cleanup(end_exit))) = outside;
    wi__self.top = wi__marked(around);
    if (protocol->exit) protocol->exit(manager, reason, NULL);
}

void wi__exit_left(const wi__frame *block) {
    const wi_protocol *protocol = wi__protocol_of(block);
    if (protocol) wi__run_marked_exit(wi__self.top, protocol, block->manager, WI_LEFT);
}

int wi__is_in_exit(wi__frame *link) {
    for (;; link = wi__unmarked(link)->previous) {
        if ((uintptr_t)link & WI__IN_EXIT) return 1;
        const wi__frame *frame = wi__unmarked(link);
        if (!frame || frame->manager == &wi__base_frame) return 0;
        if (frame->manager == &wi__guard_frame) return 1;
    }
}

int wi__lands_before(wi__frame *link, const wi__frame *outside) {
    for (;; link = wi__unmarked(link)->previous) {
        const wi__frame *frame = wi__unmarked(link);
        if (!frame || frame == outside || frame->manager == &wi__base_frame) return 0;
        if (frame->manager == &wi__handler_frame) return 1;
    }
}
