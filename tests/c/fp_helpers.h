/* What tests of floating-point arithmetic share: operations that happen, and flags and errors in words. */
#ifndef WITHIN_FP_HELPERS_H
#define WITHIN_FP_HELPERS_H

#include "file_helpers.h"
#include "record_helpers.h"

#include <fenv.h>

#include <within/floating_point.h>

enum { USUAL = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };

/* The compiler knows nothing of these, and does what is done with them here and now. */
static volatile double zero = 0, one = 1, huge = 1e300, tiny = 1e-300, result;

#define NOINLINE __attribute__((noinline, unused))

NOINLINE static void divide(void) { result = one / zero; }
NOINLINE static void make_nan(void) { result = zero / zero; }
NOINLINE static void overflow(void) { result = huge * huge; }
NOINLINE static void underflow(void) { result = tiny * tiny; }
NOINLINE static void be_inexact(void) { result = one / 3; }

/* Those that are raised, in the order of FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW, FE_INEXACT. */
WI__UNUSED static const char *flags(void) {
    static char text[64];
    int raised = fetestexcept(FE_ALL_EXCEPT);
    snprintf(text, sizeof text, "%s%s%s%s%s", raised & FE_INVALID ? "i" : "",
             raised & FE_DIVBYZERO ? "d" : "", raised & FE_OVERFLOW ? "o" : "",
             raised & FE_UNDERFLOW ? "u" : "", raised & FE_INEXACT ? "x" : "");
    return text;
}

/* Flags that cmocka's own arithmetic has raised are not the test's. */
WI__UNUSED static int start_clean(void **state) {
    feclearexcept(FE_ALL_EXCEPT);
    return enter_folder(state);
}

#define clean_test(name) cmocka_unit_test_setup_teardown(name, start_clean, leave_folder)

#endif
