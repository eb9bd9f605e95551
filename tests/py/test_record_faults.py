"""Trouble below the record: system calls and allocations that fail, full disks, files that disappear.

Whatever happens, the program's own output and exit status stay the same, and what was lost is said once.
"""

import json
import os
import resource
import shlex
import subprocess

import pytest

# Makes the n-th call of one function fail: FAULT="name:n:errno", and with "name:n+:errno" all from then on.
# COUNT names a file that the number of calls is written to. Loaded before the library; "64" is how glibc
# names the functions of programs that are compiled for large files.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char wanted[32];
static long fail_at = -1, calls;
static int from_then_on, error_number;

__attribute__((constructor)) static void read_wish(void) {
    char plus = 0;
    const char *fault = getenv("FAULT");
    if (!fault) return;
    char name[32] = "";
    if (sscanf(fault, "%31[^:]:%ld%c", name, &fail_at, &plus) < 2) abort();
    from_then_on = plus == '+';
    error_number = atoi(strrchr(fault, ':') + 1);
    memcpy(wanted, name, sizeof wanted);
}

__attribute__((destructor)) static void write_count(void) {
    const char *path = getenv("COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) fprintf(file, "%ld\n", calls), fclose(file);
}

static int fails(const char *name) {
    if (strcmp(name, wanted) != 0) return 0;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (call != fail_at && !(from_then_on && call > fail_at)) return 0;
    errno = error_number;
    return 1;
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

int posix_fallocate64(int file, off64_t from, off64_t length) {
    if (fails("fallocate")) return error_number;
    return REAL(int (*)(int, off64_t, off64_t), "posix_fallocate64")(file, from, length);
}
void *mmap64(void *at, size_t length, int access, int flags, int file, off64_t from) {
    if (fails("mmap")) return MAP_FAILED;
    return REAL(void *(*)(void *, size_t, int, int, int, off64_t), "mmap64")(at, length, access, flags, file, from);
}
void *mremap(void *old, size_t old_length, size_t length, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    void *to = va_arg(arguments, void *);
    va_end(arguments);
    if (fails("mremap")) return MAP_FAILED;
    return REAL(void *(*)(void *, size_t, size_t, int, ...), "mremap")(old, old_length, length, flags, to);
}
int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    if (fails("open")) return -1;
    return REAL(int (*)(const char *, int, ...), "open64")(path, flags, mode);
}
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    if (fails("pwrite")) return -1;
    if (strcmp(wanted, "short") == 0 && length > 1000) length = 1000;
    return REAL(ssize_t (*)(int, const void *, size_t, off64_t), "pwrite64")(file, bytes, length, at);
}
FILE *fopen64(const char *path, const char *mode) {
    if (fails("fopen")) return NULL;
    return REAL(FILE *(*)(const char *, const char *), "fopen64")(path, mode);
}
int pthread_key_create(pthread_key_t *key, void (*end)(void *)) {
    if (fails("key")) return error_number;
    return REAL(int (*)(pthread_key_t *, void (*)(void *)), "pthread_key_create")(key, end);
}

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { return fails("memory") ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails("memory") ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails("memory") ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **got, size_t boundary, size_t size) {
    if (fails("memory")) return ENOMEM;
    *got = __libc_memalign(boundary, size);
    return *got ? 0 : ENOMEM;
}
char *strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}
"""

# Measures 20 paths, then 800 more, for which the file must grow; its result is 42 and its status 3.
# What it is told in its arguments happens between the two.
PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <within.h>

static void measure(int from, int to) {
    char name[32];
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "path %d", i);
        within (wi_section(name)) continue;
    }
}
static void *thread(void *arg) {
    measure(0, 5);
    return arg;
}
static void fork_child(void) {
    wi_holding held = wi_hold("file", "held by the parent");
    pid_t child = fork();
    if (child == 0) {
        wi_let_go(held);
        measure(0, 10);
        within (wi_section("child's")) continue;
        exit(7);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
}
static int obey(const char *order) {
    if (strcmp(order, "fork") == 0) fork_child();
    else if (strcmp(order, "grow") == 0) measure(20, 820);
    else if (strcmp(order, "abort") == 0) within (wi_section("last")) abort();
    else return system(order);
    return 0;
}
int main(int count, char **arguments) {
    within (wi_section("whole")) {
        measure(0, 20);
        for (int i = 1; i < count; i++)
            if (obey(arguments[i]) != 0) return 1;
        if (getenv("NO_GROWTH") == NULL) measure(20, 820);
        pthread_t threads[3];
        for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, thread, NULL);
        for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    }
    puts("result 42");
    return 3;
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = ["-O1", "-w", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"]
    subprocess.run([*compiler, *flags], check=True)
    return folder / "shim.so"


@pytest.fixture(scope="module")
def program(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("program"), PROGRAM)


def run(program, record, *arguments, env=(), **options):
    """Run a program with a record; what it said on stderr is in `said`, line by line."""
    environment = {**os.environ, "WITHIN_RECORD": str(record), **dict(env)}
    done = subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, timeout=60, **options
    )
    done.said = done.stderr.splitlines()
    return done


def expect_unchanged(done, stdout="result 42\n"):
    assert (done.returncode, done.stdout) == (3, stdout), done.stderr


def read(within, record):
    done = subprocess.run([within, "report", record, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def calls_in(report):
    return {section["path"]: section["calls"] - section["open"] for section in report["sections"]}


def expect_lost_from_growth(within, done, record, reason):
    """What was there before the file could not grow is in the record, and one line says what is not."""
    expect_unchanged(done)
    assert done.said == [
        f"within: record {record}: {reason}; sections that are new from now on are measured in memory only, "
        "and are not in the record"
    ]
    report = read(within, record)
    calls = calls_in(report)
    assert calls["whole"] == 1
    assert all(calls[f"whole > path {i}"] == 1 for i in range(20))
    assert "whole > path 819" not in calls
    assert report["damaged"] == 0
    assert report["open"] == []


def test_nothing_fails_and_nothing_is_said(within, program, tmp_path):
    done = run(program, tmp_path / "record")
    expect_unchanged(done)
    assert done.said == []
    assert calls_in(read(within, tmp_path / "record"))["whole > path 819"] == 1


# ---- a place that cannot be had ----


def test_a_missing_folder_is_said_once(program, tmp_path):
    record = tmp_path / "missing" / "record"
    done = run(program, record)
    expect_unchanged(done)
    assert done.said == [f"within: record {record}: No such file or directory; measuring in memory only"]


def test_a_foreign_file_is_left_as_it_is(program, tmp_path):
    record = tmp_path / "record"
    record.write_text("precious")
    done = run(program, record)
    expect_unchanged(done)
    assert len(done.said) == 1 and "is no record" in done.said[0]
    assert record.read_text() == "precious"


# ---- a full disk ----


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("fallocate:1:28", "No space left on device"),
        ("pwrite:1:28", "No space left on device"),
        ("pwrite:1:5", "Input/output error"),
    ],
)
def test_no_room_at_the_start_is_said_once_and_leaves_no_file(program, shim, tmp_path, fault, reason):
    record = tmp_path / "record"
    done = run(program, record, env={"LD_PRELOAD": str(shim), "FAULT": fault})
    expect_unchanged(done)
    assert done.said == [f"within: record {record}: {reason}; measuring in memory only"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("plus", ["", "+"], ids=["once", "from-then-on"])
@pytest.mark.parametrize("nth", [2, 3])
def test_no_room_to_grow_keeps_what_was_there(within, program, shim, tmp_path, nth, plus):
    record = tmp_path / "record"
    done = run(program, record, env={"LD_PRELOAD": str(shim), "FAULT": f"fallocate:{nth}{plus}:28"})
    expect_lost_from_growth(within, done, record, "No space left on device")


def test_a_killed_program_whose_disk_was_full_still_has_its_open_sections(within, program, shim, tmp_path):
    record = tmp_path / "record"
    done = run(program, record, "grow", "abort", env={"LD_PRELOAD": str(shim), "FAULT": "fallocate:2:28"})
    assert done.returncode < 0
    report = read(within, record)
    assert [scope["what"] for scope in report["open"]] == ["whole"]
    assert calls_in(report)["whole > path 19"] == 1
    assert report["damaged"] == 0


def test_a_child_of_a_program_whose_disk_was_full_has_a_record_again(within, program, shim, tmp_path):
    record = tmp_path / "record"
    done = run(program, record, "grow", "fork", env={"LD_PRELOAD": str(shim), "FAULT": "fallocate:2:28"})
    expect_unchanged(done, "child 7\nresult 42\n")
    (child,) = set(tmp_path.iterdir()) - {record}
    assert calls_in(read(within, child))["whole > child's"] == 1


def in_a_tiny_file_system(program, within, options, tmp_path):
    """Run the program with its record in a file system of its own; what it printed and said, and the report."""
    folder, said, report = tmp_path / "disk", tmp_path / "said", tmp_path / "report"
    folder.mkdir()
    script = (
        f"mount -t tmpfs -o {options} none {folder} || exit\n"
        f"WITHIN_RECORD={folder}/record {program} 2>{said}; echo status $?\n"
        f"{within} report {folder}/record --json >{report} 2>/dev/null\n"
    )
    try:
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if "status" not in done.stdout:
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    text = report.read_text()
    return done.stdout, said.read_text().splitlines(), json.loads(text) if text else None


@pytest.mark.parametrize(
    ("options", "reason"), [("size=100k", "No space left on device"), ("ro", "Read-only file system")]
)
def test_a_disk_that_is_full_or_read_only_from_the_start(within, program, tmp_path, options, reason):
    printed, said, report = in_a_tiny_file_system(program, within, options, tmp_path)
    assert printed == "result 42\nstatus 3\n"
    assert said == [f"within: record {tmp_path}/disk/record: {reason}; measuring in memory only"]
    assert report is None


@pytest.mark.parametrize("size", ["300k", "600k", "1100k"])
def test_a_disk_that_fills_up(within, program, tmp_path, size):
    printed, said, report = in_a_tiny_file_system(program, within, f"size={size}", tmp_path)
    assert printed == "result 42\nstatus 3\n"
    assert len(said) == 1 and "No space left on device; sections that are new" in said[0]
    assert calls_in(report)["whole > path 19"] == 1
    assert report["damaged"] == 0


@pytest.mark.parametrize("most", [100, 300])
def test_a_limit_on_file_sizes_does_not_kill(within, program, tmp_path, most):
    record = tmp_path / "record"
    limit = (most << 10, most << 10)
    done = run(program, record, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    if most == 100:
        expect_unchanged(done)
        assert done.said == [f"within: record {record}: File too large; measuring in memory only"]
        assert not record.exists()
    else:
        expect_lost_from_growth(within, done, record, "File too large")
        shown = subprocess.run([within, "report", record], capture_output=True, text=True).stdout
        assert "when it could grow no more: paths that came later are missing: " in shown


# ---- files that disappear ----


@pytest.mark.parametrize("growth", [True, False])
def test_a_record_deleted_while_the_program_runs_is_said_once(program, tmp_path, growth):
    record = tmp_path / "record"
    done = run(program, record, f"rm {record}", env={} if growth else {"NO_GROWTH": "1"})
    expect_unchanged(done)
    assert done.said == [f"within: record {record} was deleted while the program ran: what it held is lost"]
    assert not record.exists()


def test_a_folder_removed_while_the_program_runs_is_said_once(program, tmp_path):
    record = tmp_path / "folder" / "record"
    record.parent.mkdir()
    done = run(program, record, f"rm -r {record.parent}")
    expect_unchanged(done)
    assert done.said == [f"within: record {record} was deleted while the program ran: what it held is lost"]


def test_another_file_in_the_records_place_is_left_alone(program, tmp_path):
    record, other = tmp_path / "record", tmp_path / "other"
    other.write_text("mine\n")
    done = run(program, record, f"rm {record}; mv {other} {record}")
    expect_unchanged(done)
    assert len(done.said) == 1 and "was deleted while the program ran" in done.said[0]
    assert record.read_text() == "mine\n"


def test_a_record_that_was_moved_counts_as_deleted(within, program, tmp_path):
    record = tmp_path / "record"
    done = run(program, record, f"mv {record} {record}.kept", env={"NO_GROWTH": "1"})
    expect_unchanged(done)
    assert len(done.said) == 1
    assert calls_in(read(within, f"{record}.kept"))["whole"] == 1


# ---- system calls that fail ----


def calls_made(program, shim, tmp_path, name, *arguments):
    """How often the program makes this call."""
    count = tmp_path / "count"
    done = run(
        program, tmp_path / "record", *arguments,
        env={"LD_PRELOAD": str(shim), "FAULT": f"{name}:-1:0", "COUNT": str(count)},
    )
    assert done.returncode == 3
    return int(count.read_text())


@pytest.mark.parametrize(
    ("name", "error"), [("open", 24), ("fallocate", 28), ("mmap", 12), ("pwrite", 5), ("fopen", 24), ("key", 11)]
)
def test_whichever_call_fails_the_program_goes_on(program, shim, tmp_path, name, error):
    calls = calls_made(program, shim, tmp_path, name)
    assert calls > 0
    for first in range(1, calls + 1):
        for plus in "", "+":
            record = tmp_path / f"record-{first}{plus}"
            done = run(program, record, env={"LD_PRELOAD": str(shim), "FAULT": f"{name}:{first}{plus}:{error}"})
            expect_unchanged(done)
            assert len(done.said) <= 1, done.stderr
            assert all(line.startswith("within: record ") for line in done.said)


@pytest.mark.parametrize("name", ["mmap", "mremap"])
def test_whichever_call_fails_a_child_goes_on_and_leaves_its_parents_record(within, program, shim, tmp_path, name):
    calls = calls_made(program, shim, tmp_path, name, "fork")
    for first in range(1, calls + 2):
        for plus in "", "+":
            record = tmp_path / f"record-{first}{plus}"
            env = {"LD_PRELOAD": str(shim), "FAULT": f"{name}:{first}{plus}:12"}
            done = run(program, record, "fork", env=env)
            expect_unchanged(done, "child 7\nresult 42\n")
            if record.exists():
                report = read(within, record)
                assert "whole > child's" not in calls_in(report)
                assert [scope["what"] for scope in report["open"]] == ["held by the parent"]
                assert report["damaged"] == 0


def test_short_writes_are_continued(within, program, shim, tmp_path):
    done = run(program, tmp_path / "record", env={"LD_PRELOAD": str(shim), "FAULT": "short:1:0"})
    expect_unchanged(done)
    assert done.said == []
    assert calls_in(read(within, tmp_path / "record"))["whole > path 819"] == 1


# ---- allocations that fail ----

EVERYTHING = r"""
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <within.h>

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

static void fill_stack(void *unused) {
    (void)unused;
    within (stack, wi_exit_stack())
        for (int i = 0; i < 12; i++) {
            wi_stack_enter(stack, wi_make(counted));
            wi_stack_enter(stack, wi_section("in a stack"));
            callbacks++;
            wi_stack_callback(stack, call_back, NULL);
        }
}
static void raise_deep(void *depth) {
    within (wi_section("deep"))
        within (wi_make(counted)) {
            if (*(int *)depth < 20) raise_deep(&(int){*(int *)depth + 1});
            wi_raise(WI_VALUE_ERROR, "%0400d", *(int *)depth);
        }
}
static void open_record(void *path) { wi_record_open(path); }
static void expect(int holds, const char *what) { if (!holds) printf("not so: %s\n", what); }

static void *thread(void *arg) {
    wi_holding holding = wi_hold("file", "%s", "a thread's");
    within (wi_section("thread")) wi_call(raise_deep, &(int){15}, NULL);
    wi_let_go(holding);
    return arg;
}
static void fork_child(void) {
    pid_t child = fork();
    if (child < 0) return;
    if (child == 0) {
        within (wi_section("child")) continue;
        _exit(7);
    }
    int status;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child ends well");
}
int main(int count, char **arguments) {
    wi_error *error;
    char name[32];
    if (count > 1 && !wi_call(open_record, arguments[1], &error)) {
        expect(wi_error_is(error, WI_MEMORY_ERROR) || wi_error_errno(error) == 0, "the open's error");
        wi_error_free(error);
    }
    if (!wi_call(fill_stack, NULL, &error)) {
        expect(wi_error_is(error, WI_MEMORY_ERROR), "a stack's error is of memory");
        wi_error_free(error);
    }
    expect(!wi_call(raise_deep, &(int){0}, &error), "an error passes");
    expect(wi_error_is(error, WI_VALUE_ERROR), "an error keeps its kind");
    expect(wi_error_trail_length(error) == 42, "an error counts its blocks");
    wi_error_free(error);
    within (wi_suppress(WI_VALUE_ERROR)) raise_deep(&(int){18});
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "path %d", i);
        within (wi_section(name)) continue;
    }
    pthread_t other;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&other, NULL, thread, NULL) == 0) pthread_join(other, NULL);
    within (wi_timer("timer", .quiet = 1)) fork_child();
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere) wi_report(nowhere), fclose(nowhere);
    expect(open_blocks == 0, "all blocks are closed");
    expect(callbacks == 0, "all callbacks were called");
    puts("done");
    return 0;
}
"""


@pytest.fixture(scope="module")
def everything(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("everything"), EVERYTHING)


@pytest.mark.parametrize("plus", ["", "+"], ids=["one", "all-from-then-on"])
@pytest.mark.parametrize("kept_in", ["memory", "file"])
def test_whichever_allocation_fails_all_is_released(everything, shim, tmp_path, kept_in, plus):
    count, arguments = tmp_path / "count", [tmp_path / "record"] if kept_in == "file" else []
    env = {**os.environ, "LD_PRELOAD": str(shim), "COUNT": str(count)}
    allocations, number = 1, 0
    while number < allocations:
        number += 1
        env["FAULT"] = f"memory:{number}{plus}:12"
        done = subprocess.run([everything, *arguments], env=env, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, "done\n"), (number, done.stdout, done.stderr)
        assert all(line.startswith("within: ") for line in done.stderr.splitlines())
        # One that fails may make others needless: the longest run counts.
        allocations = 200 if plus else max(allocations, int(count.read_text()))
    assert number > 100
