"""Numbers in CSV files: the very text that Python's repr gives, for millions of doubles."""

import math
import random
import struct
import subprocess

import pytest

# Writes the doubles of its standard input to a CSV file, as 32 columns.
WRITER = r"""
#include <stdio.h>
#include <unistd.h>
#include <within.h>

int main(int argc, char **argv) {
    (void)argc;
    wi_csv_value row[32];
    double values[32];
    char columns[200] = "c0";
    for (int i = 1, n = 2; i < 32; i++) n += sprintf(columns + n, ",c%d", i);
    within (f, wi_csv(argv[1], columns, .sync_every_s = -1)) {
        while (fread(values, sizeof values, 1, stdin) == 1) {
            for (int i = 0; i < 32; i++) row[i] = wi_csv_of(values[i]);
            wi_csv_write(f, row, 32);
        }
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def writer(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("writer"), WRITER)


def check(writer, folder, values):
    """Compare the texts of doubles with Python's."""
    values += [0.0] * (-len(values) % 32)
    table = folder / "table.csv"
    subprocess.run([writer, table], input=struct.pack(f"={len(values)}d", *values), check=True)
    with open(table) as file:
        next(file)
        texts = [text for row in file for text in row.rstrip("\n").split(",")]
    table.unlink()
    assert len(texts) == len(values)
    wrong = [(value, text) for value, text in zip(values, texts) if repr(value) != text]
    assert not wrong, wrong[:10]


def doubles(patterns):
    return list(struct.unpack(f"={len(patterns)}d", struct.pack(f"={len(patterns)}Q", *patterns)))


def neighbours(values):
    return [near for value in values for near in (value, math.nextafter(value, 0), math.nextafter(value, math.inf))]


def random_doubles(count, seed):
    bits = random.Random(seed).randbytes(8 * count)
    return list(struct.unpack(f"={count}d", bits))


def test_random_bit_patterns(writer, tmp_path):
    check(writer, tmp_path, random_doubles(1_000_000, seed=1))


@pytest.mark.long
def test_many_random_bit_patterns(writer, tmp_path):
    for seed in range(100, 140):
        check(writer, tmp_path, random_doubles(1_000_000, seed))


def test_powers_of_two_and_of_ten_and_their_neighbours(writer, tmp_path):
    twos = [math.ldexp(1, exponent) for exponent in range(-1074, 1024)]
    tens = [float(f"1e{exponent}") for exponent in range(-323, 309)]
    check(writer, tmp_path, neighbours(twos + tens))


def test_subnormals_and_the_ends_of_the_range(writer, tmp_path):
    least = list(range(1, 20_000)) + [(1 << 52) + i for i in range(-5_000, 5_000)]
    infinity = 0x7FF << 52
    check(writer, tmp_path, doubles(least + [infinity - i for i in range(5_000)] + [infinity + 1, 1 << 63]))


def test_integers_halves_and_decimals(writer, tmp_path):
    chance = random.Random(2)
    values = [2.0**53 + i for i in range(-2_000, 2_000)] + [i / 2 for i in range(-4_000, 4_000)]
    values += [chance.randrange(10**6) / 1000 for _ in range(100_000)]
    values += [float(chance.randrange(10 ** chance.randrange(1, 20))) for _ in range(100_000)]
    values += [float(f"{chance.randrange(10**5)}e{chance.randrange(-30, 30)}") for _ in range(100_000)]
    check(writer, tmp_path, values)
