"""Trouble in the record is said once and never reaches the program: full disks, lost files, no memory."""

import os
import resource
import shutil
import subprocess

import pytest

# Measures under many names, so that the record must grow; says "done" and ends with 7.
PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <within.h>

static void *measure(void *arg) {
    char name[32];
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "%s %d", (const char *)arg, i);
        within (wi_section(name)) {}
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t thread;
    within (wi_section("main")) {
        if (argc > 1 && strcmp(argv[1], "delete") == 0) unlink(getenv("WITHIN_RECORD"));
        measure("first");
        pthread_create(&thread, NULL, measure, "second");
        pthread_join(thread, NULL);
    }
    puts("done");
    return 7;
}
"""

# Fails the n-th call of a function of libc, and all after it if FAULT_ON is set: FAULT=posix_fallocate:2:28.
SHIM = r"""
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int due(const char *name, int *error) {
    static int calls;
    const char *fault = getenv("FAULT"), *colon = fault ? strchr(fault, ':') : NULL;
    int nth;
    if (!colon || strncmp(fault, name, (size_t)(colon - fault)) != 0 || name[colon - fault]) return 0;
    if (sscanf(colon, ":%d:%d", &nth, error) != 2) return 0;
    int call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return call == nth || (call > nth && getenv("FAULT_ON"));
}

int posix_fallocate(int file, off_t from, off_t length) {
    int error;
    if (due("posix_fallocate", &error)) return error;
    int (*next)(int, off_t, off_t) = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate");
    return next(file, from, length);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t place) {
    int error;
    if (due("pwrite", &error)) return errno = error, -1;
    ssize_t (*next)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    return next(file, bytes, size, place);
}

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t place) {
    int error;
    if (due("mmap", &error)) return errno = error, MAP_FAILED;
    void *(*next)(void *, size_t, int, int, int, off_t) =
        (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    return next(at, size, protection, flags, file, place);
}
"""

# Fails the n-th allocation of the process, counted from the first section on, and says how many there were.
NO_MEMORY = r"""
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
atomic_long allocations;
static int fails(void) {
    static long wanted = -1;
    if (wanted < 0) wanted = getenv("NTH") ? atol(getenv("NTH")) : 0;
    if (++allocations != wanted) return 0;
    errno = ENOMEM;
    return 1;
}
void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
"""

# A bit of everything: its output may lack what memory was missing for, but it ends well.
EVERYTHING = r"""
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <within.h>

__attribute__((weak)) extern atomic_long allocations;

static void *thread(void *arg) {
    within (wi_section("thread")) {}
    return arg;
}

static void nothing(void *arg) { (void)arg; }

static void work(void *arg) {
    (void)arg;
    char name[32];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "name %d", i);
        within (wi_section(name)) within (wi_section("inner")) {}
    }
    within (stack, wi_exit_stack())
        for (int i = 0; i < 9; i++) wi_stack_callback(stack, nothing, NULL);
    within (wi_suppress(WI_VALUE_ERROR)) within (wi_section("raises")) wi_raise(WI_VALUE_ERROR, "%300d", 1);
    wi_let_go(wi_hold("file", "x"));
}

int main(void) {
    pthread_t other;
    wi_error *error;
    if (!wi_call(work, NULL, &error)) {
        if (!wi_error_is(error, WI_MEMORY_ERROR)) abort();
        wi_error_free(error);
    }
    if (pthread_create(&other, NULL, thread, NULL) == 0) pthread_join(other, NULL);
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere) {
        wi_report(nowhere);
        fclose(nowhere);
    }
    if (&allocations) printf("%ld\n", (long)allocations);
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("program"), PROGRAM)


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    command = ["cc", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-shared", "-fPIC", "-o", folder / "shim.so"]
    subprocess.run([*command, folder / "shim.c", "-ldl"], check=True)
    return folder / "shim.so"


def run(program, *arguments, **environment):
    limits = environment.pop("preexec_fn", None)
    return subprocess.run(
        [program, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, preexec_fn=limits
    )


def goes_on(done):
    """The program never noticed; what it says is the record's."""
    assert (done.returncode, done.stdout) == (7, "done\n"), done.stderr
    return done.stderr.splitlines()


def report(within, record):
    return subprocess.run([within, "report", record], capture_output=True, text=True)


def test_without_trouble_nothing_is_said(program, tmp_path):
    assert goes_on(run(program, WITHIN_RECORD=str(tmp_path / "r"))) == []


@pytest.mark.parametrize(
    "fault, text",
    [
        ("posix_fallocate:1:28", "No space left on device"),
        ("pwrite:1:28", "No space left on device"),
        ("pwrite:1:5", "Input/output error"),
    ],
)
def test_a_disk_full_at_the_start_is_said_once_and_leaves_no_file(program, shim, tmp_path, fault, text):
    record = tmp_path / "r"
    said = goes_on(run(program, WITHIN_RECORD=str(record), LD_PRELOAD=str(shim), FAULT=fault, FAULT_ON="1"))
    assert said == [f"within: record {record}: {text}; measuring in memory only"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("nth", [2, 3, 4])
def test_a_disk_full_later_is_said_once_and_the_record_keeps_what_it_had(program, shim, within, tmp_path, nth):
    record = tmp_path / "r"
    fault = f"posix_fallocate:{nth}:28"
    said = goes_on(run(program, WITHIN_RECORD=str(record), LD_PRELOAD=str(shim), FAULT=fault, FAULT_ON="1"))
    assert len(said) == 1 and f"record {record}: No space left on device" in said[0]
    shown = report(within, record)
    assert shown.returncode == 0 and "first 0" in shown.stdout


def test_a_file_size_limit_does_not_end_the_program(program, within, tmp_path):
    record = tmp_path / "r"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    said = goes_on(run(program, WITHIN_RECORD=str(record), preexec_fn=limit))
    assert len(said) == 1 and "File too large" in said[0]
    assert "first 0" in report(within, record).stdout


def test_a_really_full_disk(program, within, tmp_path):
    mount = ["unshare", "-rm", "sh", "-c"]
    script = f'mount -t tmpfs -o size=600k none "{tmp_path}" && WITHIN_RECORD="{tmp_path}/r" "$0"; s=$?'
    script += f'; "$1" report "{tmp_path}/r" | grep -c "first" >&2; exit $s'
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("no mounts are to be had here")
    done = subprocess.run([*mount, script, program, within], capture_output=True, text=True)
    if "mount:" in done.stderr:
        pytest.skip("no mounts are to be had here")
    said = goes_on(done)
    assert len(said) == 2 and "No space left on device" in said[0] and int(said[1]) > 10


def test_no_memory_for_maps_is_no_end(program, shim, tmp_path):
    for nth in range(1, 12):
        goes_on(run(program, WITHIN_RECORD=str(tmp_path / f"r{nth}"), LD_PRELOAD=str(shim), FAULT=f"mmap:{nth}:12"))


def test_a_missing_folder_is_said_once(program, tmp_path):
    record = tmp_path / "missing" / "r"
    said = goes_on(run(program, WITHIN_RECORD=str(record)))
    assert said == [f"within: record {record}: No such file or directory; measuring in memory only"]


def test_a_foreign_file_is_left_as_it_is(program, tmp_path):
    (tmp_path / "r").write_text("precious")
    said = goes_on(run(program, WITHIN_RECORD=str(tmp_path / "r")))
    assert len(said) == 1 and "is no record" in said[0]
    assert (tmp_path / "r").read_text() == "precious"


def test_a_folder_that_cannot_be_written(program, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    tmp_path.chmod(0o555)
    said = goes_on(run(program, WITHIN_RECORD=str(tmp_path / "r")))
    assert len(said) == 1 and "Permission denied" in said[0]


def test_a_record_deleted_while_running_is_said_once(program, tmp_path):
    record = tmp_path / "r"
    said = goes_on(run(program, "delete", WITHIN_RECORD=str(record)))
    assert said == [f"within: record {record} was deleted while the program ran: what it held is lost"]


def test_each_allocation_fails_in_turn_and_the_program_ends_well(compile_c, tmp_path):
    (tmp_path / "memory.c").write_text(NO_MEMORY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "memory.so", tmp_path / "memory.c"], check=True)
    program = compile_c(tmp_path, EVERYTHING, "-Wno-address")
    preload = {"LD_PRELOAD": str(tmp_path / "memory.so"), "WITHIN_RECORD": str(tmp_path / "r")}
    whole = run(program, **preload)
    assert whole.returncode == 0, whole.stderr
    count = int(whole.stdout)
    assert count > 100
    for nth in range(1, count + 1):
        done = run(program, **preload, NTH=str(nth))
        assert done.returncode == 0, (nth, done.returncode, done.stderr)
