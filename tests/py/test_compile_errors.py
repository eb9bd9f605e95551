"""What the compiler must refuse, and what it must take without a warning."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
C_COMPILERS = [cc for cc in ("gcc", "clang", "clang-19") if shutil.which(cc)]
CXX_COMPILERS = [cxx for cxx in ("g++", "clang++", "clang++-19") if shutil.which(cxx)]
COMPILERS = C_COMPILERS + CXX_COMPILERS
FLAGS = ["-O0", "-O1", "-O2", "-O3", "-O1 -fsanitize=address,undefined", "-O2 -fsanitize=thread", "-O2 -flto"]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]


def compile_text(folder, compiler, text, *flags, libraries=()):
    """Run the compiler on C or C++ text; its output file is folder/program."""
    cxx = compiler in CXX_COMPILERS
    source = folder / ("program.cpp" if cxx else "program.c")
    source.write_text(text)
    standard = "-std=c++17" if cxx else "-std=c11"
    command = [compiler, standard, "-fexceptions", f"-I{ROOT / 'include'}", *flags]
    command += ["-o", str(folder / "program"), str(source), *libraries]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})


@pytest.fixture(scope="module")
def block_library(tmp_path_factory):
    """The block layer alone, as link arguments."""
    folder = tmp_path_factory.mktemp("block")
    sources = sorted(str(path) for path in (ROOT / "src" / "block").glob("*.c"))
    flags = ["-D_GNU_SOURCE", "-O1", "-fPIC", "-fexceptions", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
    library = folder / "libblock.so"
    subprocess.run([C_COMPILERS[0], *flags, "-shared", "-o", str(library), *sources], check=True)
    return [str(library), f"-Wl,-rpath,{folder}", "-pthread"]


def run_text(folder, compiler, text, library, *flags):
    """Compile, link and run; what the program printed."""
    compiled = compile_text(folder, compiler, text, *flags, libraries=library)
    assert compiled.returncode == 0, compiled.stderr
    run = subprocess.run([str(folder / "program")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


HEADERS = """
#include <within/block.h>
#include <within/error.h>
#include <within/exit_stack.h>
#include <within/generator.h>
#include <within/suppress.h>
#include <within/try.h>
#include <stdio.h>
typedef struct noop { const wi_protocol *protocol; } noop;
__attribute__((unused)) static const wi_protocol noop_protocol = {"noop", NULL, NULL, NULL};
typedef struct mute { const wi_suppressing_protocol *protocol; } mute;
__attribute__((unused)) static const wi_suppressing_protocol mute_protocol = {{"mute", NULL, NULL, NULL}, 1};
"""

# One function a line, each in a loop that the break seems to leave.
PLACES = {
    "within": "within (wi_make(noop)) { LEAVE; }",
    "named": "within (name, wi_make(noop)) { LEAVE; }",
    "nested": "within (wi_make(noop)) within (wi_make(noop)) { if (i) { LEAVE; } }",
    "suppressing": "within (wi_suppress(WI_ERROR)) { LEAVE; }",
    "try": "wi_try { LEAVE; } wi_catch (WI_ERROR, error) { puts(\"\"); }",
    "catch": "wi_try { puts(\"\"); } wi_catch (WI_ERROR, error) { LEAVE; }",
    "finally": "wi_try { puts(\"\"); } wi_finally { LEAVE; }",
}
BREAKS = HEADERS + "".join(
    f"void break_in_{place}(void) {{ for (volatile int i = 0; i < 1; i = i + 1) {body} }}\n"
    for place, body in PLACES.items()
) + "int main(void) {" + "".join(f" break_in_{place}();" for place in PLACES) + ' puts("ran"); return 0; }\n'


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_stray_break_is_an_error_wherever_it_stands(tmp_path, compiler, flags, block_library):
    without = compile_text(tmp_path, compiler, BREAKS, "-DLEAVE=", *flags.split(), libraries=block_library)
    if without.returncode != 0 and ("-flto" in flags or "-fsanitize" in flags):
        pytest.skip(f"{compiler} cannot link with {flags} here")
    assert without.returncode == 0, without.stderr
    run = subprocess.run([str(tmp_path / "program")], capture_output=True, text=True)
    assert run.stdout.split() == ["ran"], run.stderr

    broken = compile_text(tmp_path, compiler, BREAKS, "-DLEAVE=break", *flags.split(), libraries=block_library)
    assert broken.returncode != 0
    assert "break inside a within or wi_try body: continue ends the block, goto leaves more" in broken.stderr
    if "-flto" in flags:
        return  # the linker does not always say where
    lines = BREAKS.splitlines()
    for place in PLACES:
        number = next(i for i, line in enumerate(lines, 1) if f"void break_in_{place}(" in line)
        named = f"break_in_{place}" in broken.stderr  # gcc says which function, clang which line
        assert named or re.search(rf"program\.c(pp)?:{number}:", broken.stderr), f"{place}\n{broken.stderr}"


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("wi_use(wi_make(mute));", "wi_use cannot suppress errors: use a within block"),
        ("wi_use(name, wi_suppress(WI_ERROR));", "wi_use cannot suppress errors: use a within block"),
        ("wi_exit_stack s = wi_exit_stack(); wi_stack_enter(&s, wi_make(mute));",
         "an exit stack cannot suppress: use a within block"),
    ],
)
def test_a_suppressing_manager_where_nothing_can_be_suppressed_is_an_error(tmp_path, compiler, statement, message):
    text = HEADERS + "int main(void) { %s return 0; }\n"
    refused = compile_text(tmp_path, compiler, text % statement, "-c")
    assert refused.returncode != 0
    assert message in refused.stderr
    taken = compile_text(tmp_path, compiler, text % statement.replace("mute", "noop").replace(
        "wi_suppress(WI_ERROR)", "wi_make(noop)"), "-c")
    assert taken.returncode == 0, taken.stderr


GENERATOR = HEADERS + """
wi_generator(gen, int x) {
    wi_begin;
    self->x++;
    %s
    self->x--;
}
int main(void) { within (wi_make(gen)) puts("body"); return 0; }
"""


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_generator_needs_exactly_one_yield(tmp_path, compiler):
    assert compile_text(tmp_path, compiler, GENERATOR % "wi_yield;", "-c").returncode == 0
    none = compile_text(tmp_path, compiler, GENERATOR % "", "-c")
    assert none.returncode != 0 and "wi__resume" in none.stderr
    two = compile_text(tmp_path, compiler, GENERATOR % "wi_yield; wi_yield;", "-c")
    assert two.returncode != 0 and "wi__resume" in two.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_ninth_kind_to_suppress_is_refused(tmp_path, compiler):
    text = HEADERS + "int main(void) { within (wi_suppress(%s)) puts(\"\"); return 0; }\n"
    eight = compile_text(tmp_path, compiler, text % ", ".join(["WI_ERROR"] * 8), "-c", *WARNINGS)
    assert eight.returncode == 0, eight.stderr
    nine = compile_text(tmp_path, compiler, text % ", ".join(["WI_ERROR"] * 9), "-c", *WARNINGS)
    assert nine.returncode != 0


EVERY_MACRO = HEADERS + """
wi_declare_error(SOLVER_ERROR);
wi_define_error(SOLVER_ERROR, WI_ARITHMETIC_ERROR);
wi_generator(gen, int x) {
    wi_begin;
    wi_yield;
    if (error) self->x = reason == WI_RAISED;
}
wi_suppressing_generator(forgive, int x) {
    wi_begin;
    wi_yield;
    self->verdict = WI_SUPPRESS;
}
static void say(void *text) { puts((const char *)text); }
static void fail(void *text) { wi_raise(SOLVER_ERROR, "%s", (const char *)text); }
static char boom[] = "boom", bye[] = "bye";

static int nest(int depth) {
    wi_use(wi_make(noop));
    wi_use(used, wi_make(gen));
    if (depth > 0)
        within (wi_make(noop)) puts("in");
    else
        puts("else");
    within (a, wi_make(gen, .x = 1))
        within (b, wi_make(gen, .x = a->x))
            within (wi_suppress(WI_VALUE_ERROR, SOLVER_ERROR)) {
                within (wi_make(forgive)) fail(boom);
                wi_try {
                    wi_try {
                        within (stack, wi_exit_stack()) {
                            gen *entered = wi_stack_enter(stack, wi_make(gen, .x = b->x));
                            noop *other = wi_stack_enter(stack, wi_make(noop));
                            wi_stack_callback(stack, say, bye);
                            if (entered->x == 1 && other) fail(boom);
                            wi_exit_stack kept = wi_stack_pop_all(stack);
                            wi_stack_close(&kept);
                        }
                    } wi_catch (WI_VALUE_ERROR, outer) {
                        wi_reraise(outer);
                    } wi_catch (SOLVER_ERROR, outer) {
                        wi_try {
                            wi_raise_from(outer, WI_VALUE_ERROR, "from %d", depth);
                        } wi_catch (WI_VALUE_ERROR, inner) {
                            puts(wi_error_message(wi_error_cause(inner)));
                            within (wi_suppress(WI_ERROR)) wi_reraise(inner);
                        } wi_finally {
                            within (wi_make(noop)) puts("inner finally");
                        }
                    } wi_finally {
                        wi_try fail(boom);
                        wi_catch (WI_ERROR, error) puts("caught in finally");
                    }
                } wi_finally {
                    puts("outer finally");
                }
                wi_error *error;
                if (!wi_call(fail, boom, &error)) wi_error_free(error);
                wi_check_code(0, "never");
                wi_check_errno(wi_check_errno(0, "never"), "never");
                if (wi_check_null(&boom, "never") != &boom) wi_raise_errno(1, "never");
                if (depth > 0) return nest(depth - 1);
            }
    return used->x;
}
int main(void) { return nest(1); }
"""
EVERY_LINE = ["in"] + ["bye", "boom", "inner finally", "caught in finally", "outer finally"]
EVERY_LINE += ["else"] + EVERY_LINE[1:]


@pytest.mark.parametrize("flags", ["-O0", "-O1", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_macro_nests_without_a_warning(tmp_path, compiler, flags, block_library):
    printed = run_text(tmp_path, compiler, EVERY_MACRO, block_library, *WARNINGS, *flags.split())
    assert printed.splitlines() == EVERY_LINE


# What gcc 12 stopped at with an internal error: functions that cannot throw, defined before their blocks.
NO_THROW = HEADERS + """
static int calls;
static void count(void) { calls++; }
static void blocks(void) {
    within (wi_make(noop))
        within (wi_make(noop)) count();
    within (wi_make(noop)) count();
}
static void suppressing(void) {
    within (wi_suppress(WI_ERROR))
        within (wi_suppress(WI_ERROR)) count();
    within (wi_suppress(WI_ERROR)) count();
}
static void used(int times) {
    if (times > 1) {
        wi_use(wi_make(noop));
        for (int i = 0; i < times; i++) {
            wi_use(wi_make(noop));
            count();
            if (i == 7) return;
        }
    } else {
        wi_use(wi_make(noop));
        if (times == 1) return;
        count();
    }
}
static void trying(void) {
    wi_try within (wi_make(noop)) count();
    wi_catch (WI_ERROR, error) within (wi_make(noop)) count();
    wi_finally within (wi_make(noop)) count();
    wi_try count();
    wi_finally count();
}
int main(void) {
    blocks();
    suppressing();
    used(2);
    used(1);
    used(0);
    trying();
    return printf("%d\\n", calls) < 0;
}
"""


@pytest.mark.parametrize("flags", ["-O0", "-O0 -g", "-O1", "-Og"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_bodies_that_cannot_throw_compile(tmp_path, compiler, flags, block_library):
    printed = run_text(tmp_path, compiler, NO_THROW, block_library, *WARNINGS, *flags.split())
    assert printed.split() == ["11"]


SETJMP = HEADERS + """
void plain(noop *n) { within (n) within (wi_make(noop)) puts("body"); }
void used(noop *n) { wi_use(n); puts("body"); }
void suppressing(noop *n) { within (n) within (wi_suppress(WI_ERROR)) puts("body"); }
void trying(void) { wi_try { puts("body"); } wi_catch (WI_ERROR, error) { puts("caught"); } }
"""


@pytest.mark.parametrize("flags", ["-O0", "-O2"])
@pytest.mark.parametrize("compiler", C_COMPILERS)
def test_only_blocks_that_may_suppress_have_a_setjmp(tmp_path, compiler, flags):
    compiled = compile_text(tmp_path, compiler, SETJMP, "-S", flags)
    assert compiled.returncode == 0, compiled.stderr
    assembly = (tmp_path / "program").read_text()
    calls = {
        function: "_setjmp" in re.search(rf"^{function}:.*?\.cfi_endproc", assembly, re.M | re.S).group()
        for function in ("plain", "used", "suppressing", "trying")
    }
    assert calls == {"plain": False, "used": False, "suppressing": True, "trying": True}


@pytest.mark.parametrize("compiler", C_COMPILERS)
def test_the_ten_line_manager_of_the_documentation_works(tmp_path, compiler, block_library):
    header = (ROOT / "include" / "within" / "block.h").read_text()
    comment = header[: header.index("*/")]
    example = "\n".join(line[3:] for line in comment.splitlines() if line.startswith(" *     "))
    example = example[example.index("typedef struct") :]
    definition, use = example.split("\n    within (")
    assert len([line for line in definition.splitlines() if line.strip()]) <= 10
    body = "within (" + use.replace("…", 'puts(pthread_mutex_trylock(&queue_mutex) ? "locked" : "free");')
    text = (
        "#include <pthread.h>\n#include <stdio.h>\n#include <within/block.h>\n" + definition +
        "\nstatic pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;\n"
        "int main(void) {\n" + body + "\n"
        'puts(pthread_mutex_trylock(&queue_mutex) ? "locked" : "free");\nreturn 0;\n}\n'
    )
    assert run_text(tmp_path, compiler, text, block_library, *WARNINGS).split() == ["locked", "free"]


ROW = """
#include <within/csv.h>
typedef struct other { int member; } other;
void write_row(wi_csv *f, char letter, int *pointer, other value);
void write_row(wi_csv *f, char letter, int *pointer, other value) {
    (void)f, (void)letter, (void)pointer, (void)value;
    %s
}
"""
TAKES = "a CSV value is an integer, a bool, a floating-point number, a const char * or WI_CSV_EMPTY"
MANY = ", ".join(map(str, range(33)))


@pytest.mark.parametrize("flags", ["-O0", "-O2"])
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("wi_csv_row(f, letter);", TAKES),
        ("wi_csv_row(f, 1.5, pointer);", TAKES),
        ("wi_csv_row(f, (void *)0, 2);", TAKES),
        ("wi_csv_row(f, value);", TAKES),
        ("wi_csv_value made = wi_csv_of(pointer); (void)made;", TAKES),
        (f"wi_csv_row(f, {MANY});", "wi_csv_row takes at most 32 values"),
    ],
)
def test_a_csv_row_takes_numbers_and_texts_alone(tmp_path, compiler, flags, statement, message):
    refused = compile_text(tmp_path, compiler, ROW % statement, "-c", flags)
    assert refused.returncode != 0
    assert message in refused.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_csv_row_of_any_number_or_text_gives_no_warning(tmp_path, compiler):
    values = "1, 2U, 3L, 4ULL, (short)5, (unsigned char)6, 7.5F, 8.5, 9.5L, 1 == 1, \"text\", WI_CSV_EMPTY"
    statement = f"char array[] = \"a\"; wi_csv_row(f, {values}, array, (const char *)array);"
    taken = compile_text(tmp_path, compiler, ROW % statement, "-c", *WARNINGS)
    assert taken.returncode == 0, taken.stderr
