"""temporary_seed: every generator of random numbers in play seeded for a block, and put back as it was."""

import _thread
import operator
import os

from . import _seeded_libraries, _within

# What blocks save and put back is one step of each: those of several threads must not mix.
_lock = _thread.RLock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
_open = []  # the blocks that are open, oldest first


class temporary_seed:
    """Seed every generator of random numbers in play for the block, and put each back exactly as it was.

    In play are those of the libraries that are imported when the block begins, and those in C: ``random``, NumPy's
    global state, PyTorch's generator of the CPU, and those of all CUDA devices if CUDA is initialised; the thread's
    ``wi_rng``, ``random()``, ``drand48()``, and what C code registered with ``wi_register_rng``. All are captured
    before any is seeded.

    The block gets a fresh ``numpy.random.default_rng(seed)``, or None where NumPy is not imported.

    As a decorator it seeds for each call. Generator functions and coroutines are in the block from their first step to
    their end, and so is what runs while they wait.

    Parameters
    ----------
    seed : int
        0 to 2**32 - 1; NumPy's integers will do.

    Raises
    ------
    ValueError
        The seed is out of range.
    TypeError
        It is no integer.
    RuntimeError
        The object is in a block already.

    Notes
    -----
    After every way out, and after a begin that failed, all is as it was. A restore that fails does not keep the
    others from being put back, and its exception is raised. Blocks may end in any order: after the last one all is as
    it was before the first. What other threads draw meanwhile is seeded too, except from generators of their own.

    It does not reach ``numpy.random.Generator`` and ``random.Random`` objects, ``os.urandom``, ``secrets``, ``uuid``,
    the order of sets of strings, and what a GPU computes in no fixed order.

    Examples
    --------
    >>> import random
    >>> import within as wi
    >>> before = random.getstate()
    >>> with wi.temporary_seed(42):
    ...     random.random()
    0.6394267984578837
    >>> random.getstate() == before
    True
    >>> @wi.temporary_seed(42)
    ... def noise():
    ...     return random.random()
    >>> noise() == noise() == 0.6394267984578837
    True
    """

    __module__ = "within"

    def __init__(self, seed):
        self._seed = _checked(seed)
        self._core = _within.seed(self._seed)
        self._saved = None  # of each library what its functions take and the state, in order; None outside of a block

    def __repr__(self):
        return f"within.temporary_seed({self._seed})"

    def __enter__(self):
        with _lock:
            if self._saved is not None:
                raise RuntimeError(f"{self!r} is open already: one object is one block at a time")
            self._saved = {}
            _open.append(self)
            try:
                for library, taken in _seeded_libraries.imported():
                    self._saved[library] = taken, library.save(taken)
                self._core.enter()
                for library, (taken, _) in self._saved.items():
                    library.seed(taken, self._seed)
                return _seeded_libraries.numpy_generator(self._seed)
            except BaseException:
                self._leave()
                raise

    def __exit__(self, kind, error, traceback):
        with _lock:
            if self._saved is None:
                raise RuntimeError(f"{self!r} is not open")
            self._leave()

    def __call__(self, function):
        """Return `function`, which is run in a block of its own at every call."""
        from ._decorators import decorated

        return decorated(function, lambda: type(self)(self._seed), f"temporary_seed({self._seed})")

    def _leave(self):
        try:
            if self._saved:
                _put_back(self._saved, _open[_open.index(self) + 1 :])
        finally:
            _open.remove(self)
            self._saved = None
            self._core.leave()


def _put_back(saved, newer):
    """Put back what was saved, the last first; or hand it to the next block that is open and saved the same library.

    One that fails, or an interrupt, does not keep the others from it.
    """
    try:
        library, (taken, state) = saved.popitem()
        for block in newer:
            if library in block._saved:
                block._saved[library] = taken, state
                break
        else:
            library.restore(taken, state)
    finally:
        if saved:
            _put_back(saved, newer)


def _checked(seed):
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"temporary_seed: a seed is an integer from 0 to 2**32 - 1, not {seed!r}") from None
    if not 0 <= number < 2**32:
        raise ValueError(f"temporary_seed: seed {number} is not from 0 to 2**32 - 1")
    return number
