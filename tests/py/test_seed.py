"""A million numbers in C and in Python from the same seeds: the page on seeds shows both, with the same checksums."""

import re
import subprocess


def of_the_page(root):
    """The program in C, and what the two programs print."""
    page = (root / "docs/state/seeds.md").read_text()
    part = page.split("## One run in C and in Python")[1].split("\n## ")[0]
    return re.search(r"^```c\n(.*?)^```", part, re.S | re.M)[1], re.findall(r"^```text\n(.*?)^```", part, re.S | re.M)


def checksum(numpy, numbers):
    weights = 2 * numpy.arange(len(numbers), dtype=numpy.uint64) + 1
    return f"{int((numbers.view(numpy.uint64) * weights).sum()):016x}"


def test_both_languages_print_the_same(root):
    _, printed = of_the_page(root)
    assert len(printed) == 2 and printed[0] == printed[1] != ""


def test_they_are_the_checksums_of_numpys_numbers(root, compile_c, tmp_path, numpy):
    text, _ = of_the_page(root)
    done = subprocess.run([compile_c(tmp_path, text)], capture_output=True, text=True, check=True)
    lines = []
    for seed in 0, 42, 2**32 - 1:
        rng = numpy.random.default_rng(seed)
        doubles, integers = rng.random(1_000_000), rng.integers(-5, 6, 1_000_000)
        lines.append(f"{seed} {checksum(numpy, doubles)} {checksum(numpy, integers)}\n")
    assert done.stdout == "".join(lines)
