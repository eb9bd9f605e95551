/* The phases of a wi_try: body, at most one catch, finally; then the error goes on or is forgotten. */
#include <within/try.h>

#include "chain.h"
#include "error.h"

wi__attempt *wi__try_begin(wi__attempt *attempt) {
    attempt->phase = WI__FRESH_TRY;
    attempt->landing.error = NULL;
    attempt->landing.armed = 0;
    return attempt;
}

static void arm(wi__attempt *attempt, wi_manager *kind) {
    wi__arm(&attempt->landing, kind, attempt->landing.error);
}

static void forget_error(wi__attempt *attempt) {
    wi__error_release(attempt->landing.error);
    attempt->landing.error = NULL;
}

/* While the finally clause runs, its error is held by a guard, so that a raise in there frees it. */
static void begin_finally(wi__attempt *attempt) {
    attempt->phase = WI__FINALLY;
    if (!attempt->landing.error) return;
    arm(attempt, &wi__guard_frame);
    wi__self.handling = attempt->landing.error;
}

/* A body or a catch has come to its end, or an error has landed that no clause took. */
static void finish_clause(wi__attempt *attempt) {
    int came_to_its_end = attempt->landing.armed;
    wi__disarm(&attempt->landing);
    if (came_to_its_end) forget_error(attempt);
    begin_finally(attempt);
    wi__self.dispatching = &attempt->landing;
}

static void finish(wi__attempt *attempt) {
    wi_error *error = attempt->landing.error;
    wi__disarm(&attempt->landing);
    attempt->phase = WI__OVER;
    if (error) wi__unwind(error);
}

int wi__try_next(wi__attempt *attempt) {
    switch (attempt->phase) {
    case WI__FRESH_TRY:
        attempt->phase = WI__BODY;
        arm(attempt, &wi__handler_frame);
        return 1;
    case WI__BODY:
    case WI__CATCHING: finish_clause(attempt); return 1;
    default: finish(attempt); return 0;
    }
}

void wi__try_leave(wi__attempt *attempt) {
    if (attempt->phase == WI__OVER) return;
    wi__disarm(&attempt->landing);
    if (attempt->phase == WI__FINALLY && attempt->landing.error)
        wi__suppressed(attempt->landing.error);
    forget_error(attempt);
}

static wi__attempt *dispatching(void) { return (wi__attempt *)wi__self.dispatching; }

int wi__catches(const wi_error_type *type) {
    wi__attempt *attempt = dispatching();
    if (attempt->phase != WI__BODY || !wi_error_is(attempt->landing.error, type)) return 0;
    attempt->phase = WI__CATCHING;
    /* What the catch raises lands here too, for the finally clause. */
    arm(attempt, &wi__handler_frame);
    wi__self.handling = attempt->landing.error;
    return 1;
}

const wi_error *wi__caught(void) { return dispatching()->landing.error; }

int wi__in_finally(void) {
    wi__attempt *attempt = dispatching();
    if (attempt->phase != WI__FINALLY) begin_finally(attempt);
    return 1;
}
