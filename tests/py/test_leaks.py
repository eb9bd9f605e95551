"""How often the leak watch is wrong, on made-up series of each kind: docs/memory/watch.md has the table of a long run."""

import subprocess

import pytest

COLUMNS = ["256", "4096", "65536", "told", "stands", "told of bytes", "stands of bytes"]
NEVER = {
    "constant",
    "noise",
    "warm-up of 2 to 32 calls",
    "running maximum",
    "random walk",
    "sawtooth of up to 60 calls",
    "a few steps",
}


@pytest.fixture(scope="module")
def shares(build):
    """Percent of each kind: of leaks those that were missed, of others those that were told."""
    done = subprocess.run([build / "tests/leaks/leaks", "40", "70000"], stdout=subprocess.PIPE, text=True, check=True)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    return {kind: dict(zip(COLUMNS, map(float, cells), strict=True)) for kind, *cells in rows}


def test_no_leak_is_missed_in_a_day(shares):
    leaks = [kind for kind in shares if "leak" in kind]
    assert len(leaks) == 6
    assert {kind: shares[kind]["stands"] for kind in leaks} == dict.fromkeys(leaks, 0.0)
    assert {kind: shares[kind]["stands of bytes"] for kind in leaks} == dict.fromkeys(leaks, 0.0)


def test_what_does_not_grow_is_never_told(shares):
    assert {kind for kind in NEVER if any(shares[kind].values())} == set()


def test_what_only_seemed_to_grow_is_withdrawn(shares):
    for kind in set(shares) - NEVER:
        if "leak" not in kind:
            assert shares[kind]["stands"] <= 25, kind
