"""Ways out that need a program of its own: without -fexceptions, and without memory."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK_SOURCES = sorted(str(path) for path in (ROOT / "src" / "block").glob("*.c"))
COMPILERS = [cc for cc in ("gcc", "clang", "clang-19") if shutil.which(cc)]


def build(folder, compiler, text, library_flags, program_flags):
    """Compile the block layer and a program with flags of their own; the program's path."""
    (folder / "program.c").write_text(text)
    common = [compiler, "-std=gnu11", "-D_GNU_SOURCE", "-g", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
    objects = []
    for source, flags in [(path, library_flags) for path in BLOCK_SOURCES] + [
        (str(folder / "program.c"), program_flags)
    ]:
        objects.append(str(folder / (Path(source).stem + "_.o")))
        subprocess.run([*common, *flags, "-c", "-o", objects[-1], source], check=True)
    program = folder / "program"
    subprocess.run([*common, *program_flags, "-o", str(program), *objects, "-pthread"], check=True)
    return program


ENDING_THREAD = """
#include <pthread.h>
#include <stdio.h>
#include <within/block.h>
typedef struct noisy { const wi_protocol *protocol; } noisy;
static wi_verdict noisy_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)error;
    puts(reason == WI_LEFT ? "left" : "wrong");
    return WI_PROPAGATE;
}
static const wi_protocol noisy_protocol = {"noisy", NULL, noisy_exit, NULL};
static void *run(void *unused) {
    within (wi_make(noisy)) pthread_exit(unused);
    return unused;
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    puts("joined");
    return 0;
}
"""


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("flag", "printed", "said"),
    [
        ("-fexceptions", ["left", "joined"], ""),
        ("-fno-exceptions", ["joined"],
         "within: a thread ended inside a block whose exit did not run: compile with -fexceptions\n"),
    ],
)
def test_a_thread_that_ends_in_a_block_releases_it_or_says_how_to_compile(tmp_path, compiler, flag, printed, said):
    program = build(tmp_path, compiler, ENDING_THREAD, ["-fexceptions"], [flag])
    run = subprocess.run([str(program)], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout.split() == printed
    assert run.stderr == said


# Fails the n-th allocation, and in a second pass every one from the n-th on.
NO_MEMORY = """
#include <stdio.h>
#include <stdlib.h>
#include <within/block.h>
#include <within/error.h>
#include <within/exit_stack.h>
#include <within/suppress.h>
#include <within/try.h>

static int countdown, keep_failing, failed;
static int fails(void) {
    if (countdown > 0) countdown--;
    else if (countdown == 0) {
        failed = 1;
        if (!keep_failing) countdown = -1;
        return 1;
    }
    return 0;
}
void *failing_malloc(size_t size) { return fails() ? NULL : malloc(size); }
void *failing_realloc(void *old, size_t size) { return fails() ? NULL : realloc(old, size); }

static int open_blocks, callbacks;
typedef struct counted { const wi_protocol *protocol; } counted;
static void counted_enter(void *self) { (void)self; open_blocks++; }
static wi_verdict counted_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)self, (void)reason, (void)error;
    open_blocks--;
    return WI_PROPAGATE;
}
static const wi_protocol counted_protocol = {"counted", counted_enter, counted_exit, NULL};
static void call_back(void *unused) { (void)unused; callbacks--; }
static void raise_again(void *unused) { (void)unused; callbacks--; wi_raise(WI_OS_ERROR, "%0300d", 1); }

static void nest(int depth) {
    within (wi_make(counted)) {
        if (depth < 20) nest(depth + 1);
        wi_raise(WI_VALUE_ERROR, "%0*d", 300, depth);
    }
}
static void everything(void *unused) {
    (void)unused;
    within (wi_suppress(WI_FILE_NOT_FOUND)) wi_raise_errno(2, "%0195d", 1);
    within (stack, wi_exit_stack()) {
        for (int i = 0; i < 6; i++) {
            wi_stack_enter(stack, wi_make(counted));
            callbacks += 2;
            wi_try {
                wi_stack_callback(stack, call_back, NULL);
            } wi_finally {
                wi_stack_callback(stack, raise_again, NULL);
            }
        }
        nest(0);
    }
}
int main(void) {
    for (keep_failing = 0; keep_failing < 2; keep_failing++) {
        int n = 0;
        do {
            wi_error *error;
            char text[100];
            failed = 0;
            countdown = n++;
            if (wi_call(everything, NULL, &error)) return 2;
            wi_error_format(error, text, sizeof text);
            wi_error_free(error);
            countdown = -1;
            if (open_blocks || callbacks) {
                printf("allocation %d: %d blocks open, %d callbacks not run\\n", n, open_blocks, callbacks);
                return 1;
            }
        } while (failed);
        if (n < 20) return 3;
    }
    puts("all released");
    return 0;
}
"""


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_block_is_released_whichever_allocation_fails(tmp_path, compiler):
    sanitized = ["-fexceptions", "-fsanitize=address,undefined", "-fno-sanitize-recover"]
    failing = (tmp_path / "failing.h")
    failing.write_text(
        "#include <stdlib.h>\nvoid *failing_malloc(size_t);\nvoid *failing_realloc(void *, size_t);\n"
        "#define malloc failing_malloc\n#define realloc failing_realloc\n"
    )
    program = build(tmp_path, compiler, NO_MEMORY, [*sanitized, "-include", str(failing)], sanitized)
    run = subprocess.run([str(program)], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "all released\n"), run.stdout + run.stderr
