/* The work of both sides: a counter up, a counter down. */
#include "work.h"

void work_enter(void *self) { ((counter *)self)->open++; }

wi_verdict work_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    ((counter *)self)->open--;
    return WI_PROPAGATE;
}

void work_callback(void *self) { ((counter *)self)->open++; }

void work_rarely(double x) { (void)x; }
