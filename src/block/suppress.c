/* wi_suppress: let errors of chosen kinds go no further. */
#include <within/suppress.h>

static wi_verdict suppress_exit(void *self, wi_reason reason, const wi_error *error) {
    if (reason != WI_RAISED) return WI_PROPAGATE;
    const wi_suppress *suppress = self;
    for (int i = 0; i < WI_SUPPRESS_MAX && suppress->types[i]; i++)
        if (wi_error_is(error, suppress->types[i])) return WI_SUPPRESS;
    return WI_PROPAGATE;
}

const wi_suppressing_protocol wi__suppress_protocol = {{"suppress", NULL, suppress_exit, NULL}, 1};
