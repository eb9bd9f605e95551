"""wi_rng's arrays against NumPy's own fills, where NumPy is there: the same numbers, 10,000 of them a call."""

import ctypes

import slices
import within  # loads the library that is measured

LIBRARY = "libwithin.so.0"
COUNT = 10_000


def generator(core, seed_with):
    """A seeded wi_rng; a value in C."""

    class Generator(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_uint64 * 315)]

    make = getattr(core, seed_with)
    make.restype, make.argtypes = Generator, [ctypes.c_int64]
    return ctypes.byref(make(1))


def fills(core, rng, array, integers):
    """What is called for doubles, normals and integers, the arguments made once."""
    count, low, high = ctypes.c_size_t(COUNT), ctypes.c_int64(0), ctypes.c_int64(6)
    x, k = (ctypes.c_void_p(each.ctypes.data) for each in (array, integers))
    return {
        "doubles": lambda: core.wi_rng_fill_double(rng, x, count),
        "normals": lambda: core.wi_rng_fill_normal(rng, x, count),
        "integers below 6": lambda: core.wi_rng_fill_integer(rng, k, count, low, high),
    }


def main():
    try:
        import numpy
    except ImportError:
        return
    slices.pin()
    core, array, integers = ctypes.CDLL(LIBRARY), numpy.empty(COUNT), numpy.empty(COUNT, dtype=numpy.int64)
    legacy, new = numpy.random.RandomState(1), numpy.random.default_rng(1)
    theirs = {
        "mt19937": {
            "doubles": lambda: legacy.random_sample(COUNT),
            "normals": lambda: legacy.randn(COUNT),
            "integers below 6": lambda: legacy.randint(0, 6, COUNT),
        },
        "pcg64": {
            "doubles": lambda: new.random(out=array),
            "normals": lambda: new.standard_normal(out=array),
            "integers below 6": lambda: new.integers(0, 6, COUNT),
        },
    }
    for kind, calls in theirs.items():
        ours = fills(core, generator(core, f"wi_rng_{kind}"), array, integers)
        for what, call in calls.items():
            name = f"{kind.upper()}: {COUNT:,} {what}, against NumPy"
            if slices.wanted(name):
                slices.measure(name, *(slices.side("fill()", {"fill": fill}) for fill in (ours[what], call)), "ratio", 1)


if __name__ == "__main__":
    main()
