"""The libraries whose generators temporary_seed seeds: how their state is captured, seeded and put back."""

import os
import sys


def imported():
    """Return the libraries that are imported, in the order in which they are saved, each with what its functions take."""
    modules = sys.modules
    found = [(each, each.find()) for each in (_Random, _NumPy, _Torch, _Cuda) if each.module in modules]
    return [(library, taken) for library, taken in found if taken]


def numpy_generator(seed):
    """Return a fresh default_rng(seed); None where NumPy is not imported."""
    numpy_random = _NumPy.find()
    return numpy_random and numpy_random.default_rng(seed)


def _module(name, attribute):
    """The module, if it is imported to the end, and no other one of that name."""
    module = sys.modules.get(name)
    return module if hasattr(module, attribute) else None


class _Random:
    """Python's own. In a forked child Python seeds it anew, so that parent and child differ: so it stays there."""

    module = "random"

    @staticmethod
    def find():
        return _module("random", "getstate")

    @staticmethod
    def save(random):
        return os.getpid(), random.getstate()

    @staticmethod
    def seed(random, seed):
        random.seed(seed)

    @staticmethod
    def restore(random, saved):
        pid, state = saved
        if pid == os.getpid():
            random.setstate(state)


class _NumPy:
    """The global state: an MT19937 unless somebody has set another bit generator, which cannot be reseeded."""

    module = "numpy"

    @staticmethod
    def find():
        return _module("numpy", "random") and _module("numpy.random", "default_rng")

    @staticmethod
    def save(random):
        state = random.get_state(legacy=False)
        return _bit_generator(random), state

    @staticmethod
    def seed(random, seed):
        if not isinstance(_bit_generator(random), (random.MT19937, type(None))):
            random.set_bit_generator(random.MT19937())
        random.seed(seed)

    @staticmethod
    def restore(random, saved):
        bit_generator, state = saved
        if _bit_generator(random) is not bit_generator:
            random.set_bit_generator(bit_generator)
        random.set_state(state)


def _bit_generator(random):
    """The one that can be exchanged, from NumPy 1.24 on."""
    return random.get_bit_generator() if hasattr(random, "get_bit_generator") else None


class _Torch:
    """The generator of the CPU; torch.manual_seed would reach other devices too."""

    module = "torch"

    @staticmethod
    def find():
        return getattr(_module("torch", "default_generator"), "default_generator", None)

    @staticmethod
    def save(generator):
        return generator.get_state()

    @staticmethod
    def seed(generator, seed):
        generator.manual_seed(seed)

    @staticmethod
    def restore(generator, state):
        generator.set_state(state)


class _Cuda:
    """Every device's, if CUDA is initialised: to ask for a state would initialise it."""

    module = "torch"

    @staticmethod
    def find():
        cuda = getattr(_module("torch", "cuda"), "cuda", None)
        return cuda if cuda and cuda.is_initialized() else None

    @staticmethod
    def save(cuda):
        return cuda.get_rng_state_all()

    @staticmethod
    def seed(cuda, seed):
        cuda.manual_seed_all(seed)

    @staticmethod
    def restore(cuda, states):
        cuda.set_rng_state_all(states)
