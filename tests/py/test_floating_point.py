"""Floating-point blocks as compilers leave them: levels, C++, libraries, and aarch64."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUIET = "-Wno-unused-command-line-argument"
COMPILERS = [cc for cc in ("gcc", "clang-19") if shutil.which(cc)]

# Nothing is volatile: what is calculated goes into the program's memory.
PROGRAM = """
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <within.h>
#define NOINLINE __attribute__((noinline))
#define USUAL (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW)

double in_library(double x);
static int failed;
double numbers[3][1000], third;

static void check(int line, void (*body)(void *), const char *said) {
    wi_error *error;
    wi_call(body, NULL, &error);
    const char *text = error ? wi_error_message(error) : "nothing";
    if (strncmp(text, said, strlen(said)) == 0) return wi_error_free(error);
    fprintf(stderr, "line %d: %s\\n", line, text);
    failed = 1;
}
#define CHECK(body, said) check(__LINE__, body, said)
#define EXPECT(condition) do if (!(condition)) fprintf(stderr, "line %d\\n", __LINE__), failed = 1; while (0)

NOINLINE static void divide_all(double *restrict to, const double *restrict of, const double *restrict by, int n) {
    for (int i = 0; i < n; i++) to[i] = of[i] / by[i];
}
NOINLINE static void find_third(double three, double *to) { *to = 1 / three; }

#define IN(name, options, ...) static void name(void *unused) { \\
    (void)unused; within (wi_fp_guard(USUAL, options)) __VA_ARGS__ }
IN(loop, .trap = 0, divide_all(numbers[2], numbers[0], numbers[1], 1000);)
IN(inlined, .trap = 0, numbers[2][0] = numbers[0][0] / numbers[1][7];)
IN(clean, .trap = 0, numbers[2][0] = numbers[0][0] / numbers[1][8];)
IN(library, .trap = 0, numbers[2][0] = in_library(numbers[1][7]);)
IN(loop_trapped, .trap = 1, divide_all(numbers[2], numbers[0], numbers[1], 1000);)
IN(library_trapped, .trap = 1, numbers[2][0] = in_library(numbers[1][7]);)
IN(loop_located, .locate = 1, divide_all(numbers[2], numbers[0], numbers[1], 1000);)

int main(void) {
    for (int i = 0; i < 1000; i++) numbers[0][i] = 1, numbers[1][i] = i == 7 ? 0 : i + 1;
    CHECK(loop, "fp_guard: division by zero in this block");
    CHECK(inlined, "fp_guard: division by zero in this block");
    CHECK(clean, "nothing");
    CHECK(library, "fp_guard: division by zero in this block");
    memset(numbers[2], 0, sizeof numbers[2]);
    CHECK(loop_trapped, "fp_guard: division by zero in divide_all");
    EXPECT(numbers[2][999] == 0);
    CHECK(library_trapped, "fp_guard: division by zero in in_library+0x");
    CHECK(loop_located, "fp_guard: division by zero in this block, first in divide_all");
    EXPECT(numbers[2][999] == 1 / 1000. && isinf(numbers[2][7]));
    double below, above;
    within (wi_rounding(FE_DOWNWARD)) find_third(3, &below);
    within (wi_rounding(FE_UPWARD)) find_third(3, &above);
    find_third(3, &third);
    EXPECT(below < above && (third == below || third == above));
    within (wi_flush_denormals(1)) find_third(1e308, &third);
    EXPECT(third == 0);
    return failed;
}
"""
LIBRARY = "double in_library(double x);\ndouble in_library(double x) { return 1 / x; }\n"


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_plain_arithmetic_is_seen_at_every_level(tmp_path, compile_c, monkeypatch, compiler, level):
    monkeypatch.setenv("CC", compiler)
    (tmp_path / "library.c").write_text(LIBRARY)
    library = tmp_path / "libsolver.so"
    subprocess.run([compiler, level, "-shared", "-fPIC", "-o", library, tmp_path / "library.c"], check=True)
    linked = [f"-Wl,--no-as-needed,-rpath,{tmp_path}", str(library)]
    program = compile_c(tmp_path, PROGRAM, level, "-frounding-math", "-Werror", QUIET, *linked)
    run = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")


INLINED = """
#include <stdio.h>
#include <within.h>
typedef struct counter { const wi_protocol *protocol; } counter;
static int entered;
static void count(void *self) { (void)self; entered++; }
static wi_verdict discount(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    entered--;
    return WI_PROPAGATE;
}
static const wi_protocol counter_protocol = {"counter", count, discount, NULL};
double one = 1, zero, result;
static void trap(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_DIVBYZERO, .trap = 1))
        within (wi_make(counter))
            within (wi_make(counter)) result = one / zero;
}
int main(void) {
    wi_error *error;
    wi_call(trap, NULL, &error);
    result = one / zero; /* traps no more */
    return !error || entered != 0;
}
"""


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O3"])
def test_blocks_that_are_inlined_around_a_trap_are_released(tmp_path, compile_c, monkeypatch, compiler, level):
    monkeypatch.setenv("CC", compiler)
    program = compile_c(tmp_path, INLINED, level)
    assert subprocess.run([program], timeout=60).returncode == 0


CPP = """
#include <cfenv>
#include <cstring>
#include <stdexcept>
#include <within.h>
static volatile double one = 1, zero = 0, result;
static void guard(void *) { within (wi_fp_guard(FE_DIVBYZERO | FE_INVALID)) result = one / zero; }
static void trap(void *) { within (wi_fp_guard(FE_DIVBYZERO, .trap = 1)) result = one / zero; }
static int says(void (*body)(void *), const char *text) {
    wi_error *error;
    wi_call(body, nullptr, &error);
    int same = error && std::strncmp(wi_error_message(error), text, std::strlen(text)) == 0;
    wi_error_free(error);
    return same;
}
int main() {
    try {
        within (wi_rounding(FE_UPWARD))
            within (wi_flush_denormals(1))
                within (wi_fp_guard(FE_INVALID, .locate = 1)) throw std::runtime_error("thrown");
    } catch (const std::exception &) {
        if (std::fegetround() != FE_TONEAREST) return 1;
    }
    if (!says(guard, "fp_guard: division by zero in this block")) return 2;
    if (!says(trap, "fp_guard: division by zero in _ZL4trapPv+0x")) return 3;
    return 0;
}
"""


@pytest.mark.parametrize("cxx", [c for c in ("g++", "clang++-19") if shutil.which(c)])
def test_c_plus_plus(tmp_path, compile_c, monkeypatch, cxx):
    monkeypatch.setenv("CXX", cxx)
    program = compile_c(tmp_path, CPP, "-xc++", "-Werror", QUIET, "-O2")
    assert subprocess.run([program], timeout=60).returncode == 0


# ---- aarch64, under emulation, without the record ----

OTHER = """
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <within/block.h>
#include <within/exit_stack.h>
#include <within/floating_point.h>
#include "record/complain.h"
wi_holding wi_hold(const char *kind, const char *format, ...) {
    (void)kind, (void)format;
    wi_holding holding = {NULL, 0};
    return holding;
}
void wi_let_go(wi_holding holding) { (void)holding; }
void wi__complain(const char *format, ...) { (void)format; }

static volatile double one = 1, zero, three = 3, smallest = DBL_MIN, result;
static int failed;
#define EXPECT(condition) if (!(condition)) failed = 1, printf("line %d: %s\\n", __LINE__, #condition)
static void guarded(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_INVALID | FE_DIVBYZERO)) result = one / zero, result = zero / zero;
}
static void trapping(void *unused) {
    (void)unused;
    within (wi_fp_guard(FE_DIVBYZERO, .trap = 1)) result = one / zero;
}
static void check(void (*body)(void *), const char *said) {
    wi_error *error;
    wi_call(body, NULL, &error);
    EXPECT(error && strncmp(wi_error_message(error), said, strlen(said)) == 0);
    if (failed && error) puts(wi_error_message(error));
    wi_error_free(error);
}
int main(void) {
    feraiseexcept(FE_OVERFLOW);
    check(guarded, "fp_guard: invalid operation and division by zero in this block");
    EXPECT(fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW) == FE_OVERFLOW);
    feenableexcept(FE_DIVBYZERO) < 0
        ? check(trapping, "fp_guard: this processor cannot trap division by zero: Operation not supported")
        : (fedisableexcept(FE_DIVBYZERO), check(trapping, "fp_guard: division by zero in trapping"));
    EXPECT(fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW) == FE_OVERFLOW);
    double low, high;
    within (wi_rounding(FE_DOWNWARD)) low = one / three;
    within (wi_rounding(FE_UPWARD)) high = one / three;
    EXPECT(low < high && one / three == 1.0 / 3 && fegetround() == FE_TONEAREST);
    within (wi_flush_denormals(1)) {
        EXPECT(smallest / 2 == 0);
        within (wi_flush_denormals(0)) EXPECT(smallest / 2 > 0);
        EXPECT(smallest / 2 == 0);
    }
    EXPECT(smallest / 2 > 0);
    wi_exit_stack outer = wi_exit_stack(), inner = wi_exit_stack();
    wi_stack_enter(&outer, wi_rounding(FE_UPWARD));
    wi_stack_enter(&inner, wi_rounding(FE_DOWNWARD));
    wi_stack_close(&outer);
    EXPECT(fegetround() == FE_DOWNWARD);
    wi_stack_close(&inner);
    EXPECT(fegetround() == FE_TONEAREST);
    return failed;
}
"""


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_other_processors(tmp_path, machine):
    compiler, emulator = f"{machine}-linux-gnu-gcc", shutil.which(f"qemu-{machine}")
    if not emulator or not shutil.which(compiler):
        pytest.skip(f"there is no compiler for {machine} here, or nothing that runs its programs")
    (tmp_path / "program.c").write_text(OTHER)
    sources = [*ROOT.glob("src/block/*.c"), *ROOT.glob("src/manage/fp_*.c"), ROOT / "src/manage/code_place.c"]
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-fexceptions", "-static"]
    program = tmp_path / "program"
    folders = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
    subprocess.run([compiler, *flags, *folders, "-o", program, tmp_path / "program.c", *sources, "-lm"], check=True)
    run = subprocess.run([emulator, program], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (0, "")
