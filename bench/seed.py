"""within.temporary_seed against what people write by hand: random seeded and put back, and NumPy too where it is."""

import random

import slices
import within

BLOCK = "with temporary_seed(42): pass"
BY_HAND = """
state = random.getstate()
random.seed(42)
try:
    pass
finally:
    random.setstate(state)
"""
BY_HAND_WITH_NUMPY = """
state, of_numpy = random.getstate(), numpy.random.get_state(legacy=False)
random.seed(42)
numpy.random.seed(42)
rng = numpy.random.default_rng(42)
try:
    pass
finally:
    numpy.random.set_state(of_numpy)
    random.setstate(state)
"""


def measure(name, by_hand, names, *target):
    if slices.wanted(name):
        ours, theirs = (slices.side(text, names) for text in (BLOCK, by_hand))
        slices.measure(name, ours, theirs, *target)


def main():
    slices.pin()
    names = {"temporary_seed": within.temporary_seed, "random": random}
    measure("temporary_seed: random and all in C, against random by hand", BY_HAND, names)
    try:
        import numpy
    except ImportError:
        return
    measure("temporary_seed: with NumPy, against by hand", BY_HAND_WITH_NUMPY, {**names, "numpy": numpy}, "ratio", 1.1)


if __name__ == "__main__":
    main()
