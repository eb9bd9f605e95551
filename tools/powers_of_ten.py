#!/usr/bin/env python3
"""Writes the table of src/manage/shortest.c: the powers of ten, as 128 bits each, rounded up.

    tools/powers_of_ten.py OUTPUT

Entry e - FIRST_POWER stands for 10**e: its leading 128 bits, the first of which is 1.
"""

import sys
from pathlib import Path

# What doubles need: subnormal ones are multiplied by 10**324, the largest by 10**-292.
FIRST, LAST = -292, 324
BITS = 128


def leading_bits(power):
    """The smallest integer of 128 bits that is at least 10**power, when both are scaled by the same power of two."""
    above, below = 10 ** max(power, 0), 10 ** max(-power, 0)
    shift = BITS - above.bit_length() + below.bit_length()
    for bits in (shift - 1, shift):
        scaled = -(-(above << max(bits, 0)) // (below << max(-bits, 0)))
        if scaled.bit_length() == BITS:
            return scaled
    raise ArithmeticError(f"10**{power} does not fit {BITS} bits")


def table():
    """The table as C."""
    low = (1 << BITS // 2) - 1
    rows = [leading_bits(power) for power in range(FIRST, LAST + 1)]
    yield "/* Made by tools/powers_of_ten.py. */"
    yield f"enum {{ FIRST_POWER = {FIRST} }};"
    yield "static const struct {\n    uint64_t high, low;\n} powers_of_ten[] = {"
    yield from (f"    {{UINT64_C({row >> BITS // 2:#x}), UINT64_C({row & low:#x})}}," for row in rows)
    yield "};\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(table()))
