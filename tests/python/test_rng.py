"""wi_rng: what a C program draws is what the NumPy of this interpreter draws, bit by bit."""

import functools
import itertools
import shutil
import subprocess

import pytest

import within

numpy = pytest.importorskip("numpy", reason="there is no NumPy to compare with")

COUNT = 1_000_000
ITEMS = 10_000
BIG = 2**200 + 12345
# Of one value; of less than 32 bits, just 32 and more; of all 64 but one.
RANGES = [
    (7, 8), (0, 2), (-5, 6), (0, 1000), (0, 2**31 + 1), (-1, 2**32 - 2), (-1, 2**32 - 1), (0, 2**32 + 1),
    (-(2**40), 2**41), (0, 2**63 - 1), (-(2**62), 2**62 + 1), (-(2**63), 2**63 - 1),
]
PER_RANGE = -(-COUNT // len(RANGES))

MT19937_SEEDS = [
    0, 1, 2, 42, 1234, 19650218, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, [0], [42], [0, 0], [42, 7], [2**32 - 1],
    [2**32 - 1] * 3, [0x123, 0x234, 0x345, 0x456], list(range(623)), list(range(624)), list(range(2000)),
]
PCG64_SEEDS = [
    0, 1, 2, 42, 1234, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1, 2**63, 2**64, 2**128 - 1, 2**128, BIG, [],
    [0, 0], [42, 7], [2**32 - 1] * 5, list(range(512)),
]

# A generator made from the arguments KIND, "seed" N or "words" N...; what is drawn goes to standard output.
START = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <within.h>
static void put(const void *bytes, size_t size) { fwrite(bytes, 1, size, stdout); }
static wi_rng rng_of(int count, char **words) {
    int is_mt19937 = strcmp(words[1], "mt19937") == 0;
    if (strcmp(words[2], "seed") == 0) {
        int64_t seed = strtoll(words[3], NULL, 10);
        return is_mt19937 ? wi_rng_mt19937(seed) : wi_rng_pcg64(seed);
    }
    static uint32_t seed[4096];
    for (int i = 3; i < count; i++) seed[i - 3] = (uint32_t)strtoul(words[i], NULL, 10);
    return (is_mt19937 ? wi_rng_mt19937_of : wi_rng_pcg64_of)(seed, (size_t)count - 3);
}
"""

# Some by themselves, and an odd number of them, before the arrays.
MILLIONS = START + """
enum { ALONE = 1001, COUNT = %d, RANGE = %d };
static double x[COUNT];
static int64_t k[RANGE];
static const int64_t ranges[][2] = {%s};
int main(int count, char **words) {
    wi_rng rng = rng_of(count, words);
    for (int i = 0; i < ALONE; i++) x[i] = wi_rng_double(&rng);
    wi_rng_fill_double(&rng, x + ALONE, COUNT - ALONE);
    put(x, sizeof x);
    for (int i = 0; i < ALONE; i++) x[i] = wi_rng_normal(&rng);
    wi_rng_fill_normal(&rng, x + ALONE, COUNT - ALONE);
    put(x, sizeof x);
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        for (int i = 0; i < ALONE; i++) k[i] = wi_rng_integer(&rng, ranges[r][0], ranges[r][1]);
        wi_rng_fill_integer(&rng, k + ALONE, RANGE - ALONE, ranges[r][0], ranges[r][1]);
        put(k, sizeof k);
    }
    return 0;
}
""" % (COUNT, PER_RANGE, ", ".join(f"{{INT64_MIN + {low + 2**63}u, {high}}}" for low, high in RANGES))

SHUFFLES = START + """
enum { ITEMS = %d };
static int64_t x[ITEMS];
static unsigned char bytes[ITEMS][200];
int main(int count, char **words) {
    static const size_t sizes[] = {1, 3, 4, 64, 65, 200};
    wi_rng rng = rng_of(count, words);
    wi_rng_permutation(&rng, x, ITEMS);
    put(x, sizeof x);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        unsigned char *items = bytes[0];
        for (size_t i = 0; i < ITEMS * sizes[s]; i++) items[i] = (unsigned char)(i %% 251);
        wi_rng_shuffle(&rng, items, ITEMS, sizes[s]);
        put(items, ITEMS * sizes[s]);
    }
    wi_rng_shuffle(&rng, x, 0, 8);
    wi_rng_shuffle(&rng, x, 1, 8);
    double after = wi_rng_double(&rng);
    put(&after, sizeof after);
    return 0;
}
""" % ITEMS

# Numbers of every kind after each step; halves are left behind on purpose.
STREAMS = START + """
static void draw(wi_rng *rng) {
    uint32_t half = wi_rng_uint32(rng);
    uint64_t whole = wi_rng_uint64(rng);
    double x = wi_rng_double(rng);
    put(&half, sizeof half), put(&whole, sizeof whole), put(&x, sizeof x);
}
int main(int count, char **words) {
    wi_rng rng = rng_of(count, words);
    static const uint64_t steps[] = {0, 1, 2, 1000003, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < 6; i++) draw(&rng), wi_rng_advance(&rng, steps[i]), draw(&rng);
    for (size_t i = 0; i < 6; i++) draw(&rng), wi_rng_jump(&rng, steps[i]), draw(&rng);
    for (int i = 0; i < 5; i++) {
        wi_rng child = wi_rng_spawn(&rng), grandchild = wi_rng_child(&child, 1000);
        draw(&child), draw(&grandchild);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A function that gives a text's program, compiled once against the package."""
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("rng")

    @functools.lru_cache
    def compiled(text):
        program = folder / f"program-{len(list(folder.iterdir()))}"
        library = within.get_library_dir()
        command = ["cc", "-O2", "-Werror", "-fexceptions", f"-I{within.get_include()}", "-xc", "-", "-o", program]
        command += [f"-L{library}", "-lwithin", f"-Wl,-rpath,{library}"]
        subprocess.run(command, input=text.encode(), check=True)
        return program

    return compiled


def words_of(seed):
    """The 32-bit words of a list or an integer, the lowest first."""
    if isinstance(seed, list):
        return seed
    return [seed >> shift & 0xFFFFFFFF for shift in range(0, max(seed.bit_length(), 1), 32)]


def arguments(kind, seed):
    if isinstance(seed, int) and seed < 2**63:
        return [kind, "seed", str(seed)]
    return [kind, "words", *map(str, words_of(seed))]


def drawn(program, kind, seed):
    return subprocess.run([program, *arguments(kind, seed)], capture_output=True, check=True).stdout


def same(ours, theirs):
    """The bytes in front are those of NumPy's arrays; return those behind."""
    for array in theirs:
        size = array.nbytes
        assert ours[:size] == array.tobytes(), f"of {array.dtype}, as in {array.ravel()[:3]}"
        ours = ours[size:]
    return ours


def seeds(known, kind):
    return [pytest.param(seed, id=f"{kind}-{str(seed)[:20]}") for seed in known]


# ---- a million of each ----


@pytest.mark.parametrize("seed", seeds(MT19937_SEEDS, "mt19937"))
def test_mt19937_draws_what_randomstate_draws(program, seed):
    theirs = numpy.random.RandomState(seed)
    ours = same(
        drawn(program(MILLIONS), "mt19937", seed),
        itertools.chain(
            [theirs.random_sample(COUNT), theirs.randn(COUNT)],
            (theirs.randint(low, high, PER_RANGE, dtype=numpy.int64) for low, high in RANGES),
        ),
    )
    assert ours == b""


@pytest.mark.parametrize("seed", seeds(PCG64_SEEDS, "pcg64"))
def test_pcg64_draws_what_default_rng_draws(program, seed):
    theirs = numpy.random.default_rng(seed)
    ours = same(
        drawn(program(MILLIONS), "pcg64", seed),
        itertools.chain(
            [theirs.random(COUNT), theirs.standard_normal(COUNT)],
            (theirs.integers(low, high, PER_RANGE) for low, high in RANGES),
        ),
    )
    assert ours == b""


# ---- orders ----


@pytest.mark.parametrize("kind", ["mt19937", "pcg64"])
def test_shuffles_are_numpys(program, kind):
    theirs = numpy.random.RandomState(42) if kind == "mt19937" else numpy.random.default_rng(42)
    ours = same(drawn(program(SHUFFLES), kind, 42), [theirs.permutation(ITEMS).astype(numpy.int64)])
    for size in 1, 3, 4, 64, 65, 200:
        rows = (numpy.arange(ITEMS * size) % 251).astype(numpy.uint8).reshape(ITEMS, size)
        theirs.shuffle(rows)
        ours = same(ours, [rows])
    assert same(ours, [numpy.array(theirs.random(), dtype=float)]) == b""


# ---- streams ----


def drawn_by_generator(generator):
    """What the function draw of the program draws: the first through the halves that integers keep."""
    half = generator.integers(0, 2**32)
    return [numpy.uint32(half), numpy.uint64(generator.bit_generator.random_raw()), numpy.float64(generator.random())]


def all_streams(seed):
    generator = numpy.random.default_rng(seed)
    steps = [0, 1, 2, 1000003, 1 << 63, 2**64 - 1]
    for step in steps:
        yield from drawn_by_generator(generator)
        generator.bit_generator.advance(step)
        yield from drawn_by_generator(generator)
    for step in steps:
        yield from drawn_by_generator(generator)
        generator = numpy.random.Generator(generator.bit_generator.jumped(step))
        yield from drawn_by_generator(generator)
    for i in range(5):
        for key in (i,), (i, 1000):
            sequence = numpy.random.SeedSequence(seed, spawn_key=key)
            yield from drawn_by_generator(numpy.random.default_rng(sequence))


@pytest.mark.parametrize("seed", [0, 42, 2**32, 2**128 - 1, 2**128, BIG, [], [1, 2, 3]], ids=str)
def test_steps_jumps_and_children_are_numpys(program, seed):
    assert same(drawn(program(STREAMS), "pcg64", seed), all_streams(seed)) == b""


# ---- refusals ----


@pytest.mark.parametrize("kind, seed", [("mt19937", -1), ("mt19937", 2**32), ("mt19937", []), ("pcg64", -1)], ids=str)
def test_what_numpy_refuses_is_refused(program, kind, seed):
    with pytest.raises(ValueError):
        (numpy.random.RandomState if kind == "mt19937" else numpy.random.default_rng)(seed)
    done = subprocess.run([program(MILLIONS), *arguments(kind, seed)], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert "WI_VALUE_ERROR" in done.stderr and f"wi_rng_{kind}" in done.stderr
