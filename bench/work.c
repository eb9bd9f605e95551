/* The work of both sides: a count up, a count down. */
#include "work.h"

void work_hold(void *self) { ++*((holder *)self)->held; }

wi_verdict work_let_go(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    --*((holder *)self)->held;
    return WI_PROPAGATE;
}

void work_callback(void *held) { ++*(long *)held; }

void work_enter_nothing(void *self) { (void)self; }

wi_verdict work_exit_nothing(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    return WI_PROPAGATE;
}

void work_rarely(double x) { (void)x; }
