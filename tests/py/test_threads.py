"""wi_threads with real OpenMP, and with libraries that are loaded, or not, in the ways that programs load them."""

import os
import shlex
import subprocess

import pytest

# Each has one number for the process, or one for each thread, as the real ones do.
LIBRARIES = {
    "libblis": """
static int number = -1;
int bli_thread_get_num_threads(void) { return number; }
void bli_thread_set_num_threads(long n) { number = (int)n; }
""",
    "libblis-of-threads": """
static __thread int number = -1;
int bli_thread_get_num_threads(void) { return number; }
void bli_thread_set_num_threads(long n) { number = (int)n; }
""",
    "libmkl_rt": """
static __thread int number;
int MKL_Get_Max_Threads(void) { return number ? number : 8; }
int MKL_Set_Num_Threads_Local(int n) { int before = number; number = n; return before; }
""",
    "libopenblas": """
static int number = 8;
int openblas_get_num_threads64_(void) { return number; }
void openblas_set_num_threads64_(int n) { number = n; }
int openblas_get_parallel64_(void) { return 1; }
""",
    "libopenblas-openmp": """
static int number = 8;
int openblas_get_num_threads(void) { return number; }
void openblas_set_num_threads(int n) { number = n; }
int openblas_get_parallel(void) { return 2; }
""",
    "libunknown": """
static int number = 8;
int openblas_get_num_threads(void) { return number; }
void openblas_set_num_threads(int n) { number = n; }
""",
}

PROGRAM = """
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <within.h>

static void *load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fprintf(stderr, "%s\\n", dlerror());
    return library;
}
static int number(void *library, const char *name) {
    int (*get)(void);
    void *found = dlsym(library, name);
    memcpy(&get, &found, sizeof found);
    return get();
}
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """The libraries, built: their paths by name."""
    folder, paths = tmp_path_factory.mktemp("libraries"), {}
    for name, text in LIBRARIES.items():
        source, paths[name] = folder / f"{name}.c", folder / f"{name}.so"
        source.write_text(text)
        compiler = shlex.split(os.environ.get("CC", "cc"))
        subprocess.run([*compiler, "-shared", "-fPIC", source, "-o", paths[name]], check=True)
    return paths


@pytest.fixture
def run(compile_c, tmp_path):
    """A function run(body, *arguments): what a program with this main prints."""

    def run(body, *arguments, flags=(), before_main=""):
        text = f"{PROGRAM}{before_main}int main(int argc, char **argv) {{ (void)argc, (void)argv;{body}return 0; }}\n"
        program = compile_c(tmp_path, text, *flags)
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return done.stdout.split()

    return run


def test_openmp_itself(run, tmp_path):
    (tmp_path / "trivial.c").write_text("int main(void) { return 0; }\n")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if subprocess.run([*compiler, "-fopenmp", "trivial.c", "-o", "trivial"], cwd=tmp_path, stderr=-3).returncode:
        pytest.skip("this compiler has no OpenMP here")
    body = """
    int before = omp_get_max_threads(), team = 0;
    within (wi_threads(before + 3)) {
        _Pragma("omp parallel") _Pragma("omp single") team = omp_get_num_threads();
        printf("%d ", team - before);
        within (wi_threads(1)) printf("%d ", omp_get_max_threads());
        omp_set_num_threads(7);
    }
    printf("%d", omp_get_max_threads() == before);
"""
    assert run(body, flags=["-fopenmp"], before_main="#include <omp.h>\n") == ["3", "1", "1"]


@pytest.mark.parametrize(
    ("name", "get", "inside", "after"),
    [
        ("libblis", "bli_thread_get_num_threads", 3, -1),
        ("libblis-of-threads", "bli_thread_get_num_threads", 3, -1),
        ("libmkl_rt", "MKL_Get_Max_Threads", 3, 8),
        ("libopenblas", "openblas_get_num_threads64_", 3, 8),
        ("libopenblas-openmp", "openblas_get_num_threads", 8, 8),  # it goes by OpenMP's number
        ("libunknown", "openblas_get_num_threads", 8, 8),  # that no library of these has such a name is a known limit
    ],
)
def test_a_library_that_was_loaded_for_itself(run, libraries, name, get, inside, after):
    body = f"""
    void *library = load(argv[1]);
    within (wi_threads(3)) printf("%d ", number(library, "{get}"));
    printf("%d", number(library, "{get}"));
"""
    assert run(body, libraries[name]) == [str(inside), str(after)]


def test_a_library_that_is_loaded_in_the_block_is_not_touched(run, libraries):
    body = """
    within (wi_threads(3)) {
        void *library = load(argv[1]);
        printf("%d ", number(library, "openblas_get_num_threads64_"));
        within (wi_threads(2)) printf("%d ", number(library, "openblas_get_num_threads64_"));
        printf("%d", number(library, "openblas_get_num_threads64_"));
    }
"""
    assert run(body, libraries["libopenblas"]) == ["8", "2", "8"]


def test_no_library_is_loaded_for_it(run, libraries):
    body = """
    within (wi_threads(3)) printf("%d ", dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD) == NULL);
    void *library = load(argv[1]);
    within (wi_threads(3)) continue;
    dlclose(library);
    printf("%d", dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD) == NULL);
"""
    assert run(body, libraries["libopenblas"]) == ["1", "1"]


def test_a_library_that_is_unloaded_in_the_block_stays_until_its_end(run, libraries):
    body = """
    void *library = load(argv[1]);
    within (wi_threads(3)) {
        dlclose(library);
        printf("%d ", dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD) != NULL);
        dlclose(dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD));
        dlclose(library);
    }
    printf("%d", dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD) == NULL);
"""
    assert run(body, libraries["libopenblas"]) == ["1", "1"]


def test_a_library_for_all_is_found_under_any_name_and_stays_until_the_blocks_end(run, libraries):
    body = """
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    within (wi_threads(3)) {
        printf("%d ", number(library, "openblas_get_num_threads"));
        dlclose(library);
        printf("%d ", dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD) == library);
    }
    printf("%d", number(library, "openblas_get_num_threads"));
"""
    assert run(body, libraries["libunknown"]) == ["3", "1", "8"]


OVERLAP = """
#include <unistd.h>
static void *library;
static int step;
static int now(void) { return number(library, "bli_thread_get_num_threads"); }
static void reach(int n) { __atomic_store_n(&step, n, __ATOMIC_RELEASE); }
static void wait_for(int n) { while (__atomic_load_n(&step, __ATOMIC_ACQUIRE) < n) usleep(100); }
static void *other(void *unused) {
    within (wi_threads(2)) {
        reach(1);
        wait_for(2);
        printf("%d ", now());
    }
    printf("%d ", now());
    return unused;
}
"""


@pytest.mark.parametrize(
    ("name", "seen"), [("libblis", "4 2 2 2 -1 -1"), ("libblis-of-threads", "4 4 -1 2 -1 -1")]
)
def test_whose_number_a_blis_has_is_found_out(run, libraries, name, seen):
    body = """
    pthread_t thread;
    library = load(argv[1]);
    within (wi_threads(4)) {
        printf("%d ", now());
        pthread_create(&thread, NULL, other, NULL);
        wait_for(1);
        printf("%d ", now());
    }
    printf("%d ", now());
    reach(2);
    pthread_join(thread, NULL);
    printf("%d", now());
"""
    assert run(body, libraries[name], before_main=OVERLAP) == seen.split()


def test_a_library_that_is_linked(run, libraries):
    folder, name = libraries["libopenblas"].parent, libraries["libopenblas"].name
    body = """
    within (wi_threads(3)) printf("%d ", openblas_get_num_threads64_());
    printf("%d", openblas_get_num_threads64_());
"""
    flags = [f"-Wl,-rpath,{folder}", "-Wl,--no-as-needed", f"{folder}/{name}"]
    assert run(body, flags=flags, before_main="int openblas_get_num_threads64_(void);\n") == ["3", "8"]
