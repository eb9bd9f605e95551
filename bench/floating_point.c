/* Floating-point blocks against what C offers by hand: feclearexcept and fetestexcept, fesetround. */
#include <stdlib.h>

#include <within.h>

#include "harness.h"

enum { USUAL = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };

static volatile double number = 3, result;

static void guards(size_t n, int excepts) {
    for (size_t i = 0; i < n; i++) {
        within (wi_fp_guard(excepts)) result = 1 / number;
    }
}

static void flags_by_hand(size_t n, int excepts) {
    for (size_t i = 0; i < n; i++) {
        fexcept_t before;
        fegetexceptflag(&before, FE_ALL_EXCEPT);
        feclearexcept(FE_ALL_EXCEPT);
        result = 1 / number;
        if (fetestexcept(excepts)) abort();
        fesetexceptflag(&before, FE_ALL_EXCEPT);
    }
}

static void trapping_guards(size_t n, int excepts) {
    for (size_t i = 0; i < n; i++) {
        within (wi_fp_guard(excepts, .trap = 1)) result = 1 / number;
    }
}

static void directions(size_t n, int mode) {
    for (size_t i = 0; i < n; i++) {
        within (wi_rounding(mode)) result = 1 / number;
    }
}

static void directions_by_hand(size_t n, int mode) {
    for (size_t i = 0; i < n; i++) {
        int before = fegetround();
        fesetround(mode);
        result = 1 / number;
        fesetround(before);
    }
}

/* The line in the ledger, which both blocks write beside what they do by hand. */
static void ledger_lines(size_t n, int unused) {
    (void)unused;
    for (size_t i = 0; i < n; i++) wi_let_go(wi_hold("rounding", "%s", "upward"));
}

int main(void) {
    bench("fp_guard, against flags by hand", guards, flags_by_hand, .size = USUAL);
    bench("fp_guard that traps, against flags by hand", trapping_guards, flags_by_hand,
          .size = USUAL);
    bench("rounding, against fesetround", directions, directions_by_hand, .size = FE_UPWARD);
    bench("rounding, against its line in the ledger", directions, ledger_lines, .size = FE_UPWARD);
    return 0;
}
