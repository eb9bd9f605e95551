/* What goes wrong in generator managers. */
#include <within/generator.h>

void wi__generator_yielded_twice(const char *function) {
    wi_raise(WI_USAGE_ERROR,
             "%s: wi_yield was reached a second time; begin the function with wi_begin, and keep "
             "the wi_yield out of loops",
             function);
}

void wi__generator_did_not_yield(const char *type) {
    wi_raise(WI_USAGE_ERROR, "%s: the generator returned without reaching its wi_yield", type);
}
