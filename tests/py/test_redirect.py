"""Redirected output of processes that are killed and that suffer faults, in C++, and with Fortran's runtime library."""

import mmap
import os
import subprocess

import pytest
from faults import KILLED, every_fault
from kills import kill_at_random

# Redirects stdout and stderr into the file, with a tee if there is a second word; status 3 if a descriptor is left open.
PROGRAM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <within.h>

static int descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 64; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int main(int argc, char **argv) {
    int before = descriptors(), status = 0;
    printf("before ");
    wi_try {
        within (wi_redirect_output(.path = argv[1], .tee = argc > 2)) {
            printf("one\n");
            fprintf(stderr, "two\n");
            printf("three\n");
        }
    } wi_catch (WI_OS_ERROR, error) {
        printf("[%s] ", wi_error_message(error));
        status = 9;
    }
    printf("after");
    fflush(stdout);
    return descriptors() == before ? status : 3;
}
"""


def test_every_fault_is_told_or_without_effect_and_stdout_is_put_back(compile_c, tmp_path):
    """One of a write is what the program's own print gets: then a part may be missing, and that is told."""
    program = compile_c(tmp_path, PROGRAM)
    folder = tmp_path / "place"
    folder.mkdir()
    log = folder / "log"
    for tee in [], ["tee"]:
        told = 0
        for call, error, done in every_fault([program, log, *tee], folder, lambda: log.write_text("old\n")):
            happened = (call, error, done, log.read_text())
            shown = "one\ntwo\nthree\n" if tee else ""
            if error == "kill":
                assert done.returncode == KILLED, happened
            elif done.returncode == 0:
                # EINTR and short writes of stderr, which nobody buffers or asks about
                assert call.name == "write" or log.read_text() == "one\ntwo\nthree\n", happened
                assert done.stdout.startswith("before ") and done.stdout.endswith("after"), happened
                assert call.name == "write" or done.stdout == f"before {shown}after", happened
            else:
                assert done.returncode == 9 and f"[{log}: " in done.stdout, happened
                assert done.stdout.startswith("before ") and done.stdout.endswith("after"), happened
                told += 1
            if call.name == "open" and done.returncode == 9:
                assert log.read_text() == "old\n", happened
        assert told > 5


WRITER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <within.h>

/* Line i into the log, and then its number where the test can see how far it was. */
int main(int argc, char **argv) {
    int seen = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    within (wi_redirect(STDOUT_FILENO, .path = argv[1], .by_line = 1, .tee = argc > 3)) {
        for (int i = 0;; i++) {
            printf("line %d\n", i);
            pwrite(seen, &i, sizeof i, 0);
        }
    }
    return 0;
}
"""


def whole_lines(log):
    """A write that is killed may end with a page of the file, and only there."""
    text = log.read_text()
    whole, _, torn = text.rpartition("\n")
    assert not torn or len(text) % mmap.PAGESIZE == 0, torn
    return whole.splitlines()


@pytest.mark.parametrize("tee", [[], ["tee"]])
def test_what_was_printed_is_there_after_each_of_100_kills(compile_c, tmp_path, tee):
    program = compile_c(tmp_path, WRITER, "-Wno-unused-result")
    log, seen = tmp_path / "log", tmp_path / "seen"
    some = 0
    for death in kill_at_random([program, log, seen, *tee], 100, 1, 0.02, lambda: seen.write_bytes(b"")):
        assert death.status == -9, death
        last = int.from_bytes(seen.read_bytes(), "little") if seen.read_bytes() else -1
        lines = whole_lines(log) if last >= 0 else []
        assert len(lines) > last, death
        assert lines == [f"line {i}" for i in range(len(lines))], death
        assert "\n".join(lines).startswith(death.output.rstrip("\n").rpartition("\n")[0]), death
        some += last > 0
    assert some


def test_in_cpp_it_reads_the_same(compile_c, tmp_path):
    source = r"""
#include <cstdio>
#include <iostream>
#include <within.h>
int main() {
    wi_captured output = {};
    within (wi_redirect_output(.into = &output, .tee = 1)) std::cout << "C++" << std::endl;
    within (wi_redirect(STDOUT_FILENO, .path = "log", .append = 1)) std::puts(wi_captured_text(&output));
    within (wi_redirect(STDERR_FILENO, .to = STDOUT_FILENO)) std::cerr << "end";
    wi_captured_free(&output);
    return 0;
}
"""
    program = compile_c(tmp_path, source, "-Wshadow", "-Werror", "-xc++")
    done = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "C++\nend", "")
    assert (tmp_path / "log").read_text() == "C++\n\n"


# A unit's buffer, and FLUSH as Fortran calls it.
FORTRAN = r"""
#include <string.h>
#include <unistd.h>
static char held[256];
void print_unit(const char *text) { strcat(held, text); }
void _gfortran_flush_i4(int *unit) {
    if (!unit && write(1, held, strlen(held)) >= 0) held[0] = 0;
}
"""

CALLER = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <within.h>
int main(int argc, char **argv) {
    void (*print[2])(const char *);
    for (int i = 0; i < 2; i++) {
        void *library = wi_check_null(dlopen(argv[i + 1], RTLD_NOW | RTLD_LOCAL), "dlopen");
        print[i] = (void (*)(const char *))dlsym(library, "print_unit");
        print[i]("before ");
    }
    within (wi_redirect(STDOUT_FILENO, .path = "log"))
        for (int i = 0; i < 2; i++) print[i]("inside ");
    for (int i = 0; i < 2; i++) print[i]("after");
    (void)argc;
    return 0;
}
"""


def test_every_copy_of_fortrans_library_is_asked_to_write_out_its_units(compile_c, tmp_path):
    """Wheels of NumPy and SciPy bring copies under names of their own, which only they can see."""
    (tmp_path / "fortran.c").write_text(FORTRAN)
    names = ["libgfortran.so.5", "libgfortran-040039e1.so.5.0.0"]
    for name in names:
        command = [*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "fortran.c", "-o", name]
        subprocess.run(command, cwd=tmp_path, check=True)
    program = compile_c(tmp_path, CALLER)
    command = [program, *(tmp_path / name for name in names)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "before before " and (tmp_path / "log").read_text() == "inside inside "
