/* C frames between a C++ throw and its catch. */
#include "test_cpp_frames.h"

#include <within/block.h>
#include <within/error.h>
#include <within/suppress.h>
#include <within/try.h>

typedef struct witness {
    const wi_protocol *protocol;
    c_note note;
} witness;

static wi_verdict witness_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    ((witness *)self)->note(reason == WI_LEFT ? "left" : reason == WI_RAISED ? "raised" : "end");
    return WI_PROPAGATE;
}
static const wi_protocol witness_protocol = {"witness", NULL, witness_exit, NULL};

static void call_in_a_catch(c_callback callback, void *arg, c_note note) {
    wi_try {
        wi_raise(WI_VALUE_ERROR, "handled while the callback throws");
    } wi_catch (WI_VALUE_ERROR, error) {
        within (wi_make(witness, .note = note)) callback(arg);
    }
}

void call_in_c_blocks(c_callback callback, void *arg, c_note note) {
    wi_use(wi_make(witness, .note = note));
    within (wi_make(witness, .note = note))
        within (wi_suppress(WI_ERROR)) {
            wi_try {
                call_in_a_catch(callback, arg, note);
            } wi_finally {
                note("finally");
            }
        }
}

void raise_in_c(void *note) {
    within (wi_make(witness, .note = (c_note)note)) wi_raise(WI_VALUE_ERROR, "from C");
}
