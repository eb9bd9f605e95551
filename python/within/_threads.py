"""threads: the number of threads that libraries calculate with, for a block."""

import sys
from _operator import index

from ._process_state import ProcessState
from ._within import CoreBlock


class threads(ProcessState):
    """Have the libraries that are loaded calculate with `n` threads in a block.

    These are OpenMP's (libgomp, libomp, libiomp5), OpenBLAS (that of the wheels of NumPy and SciPy too), MKL and BLIS.
    If the program has imported threadpoolctl, the others that it knows are set too: FlexiBLAS, and what the program has
    registered there.

    Parameters
    ----------
    n : int
        Number of threads, at least 1.

    Raises
    ------
    ValueError
        For a number below 1.
    RuntimeError
        When the object is open already.

    Notes
    -----
    Libraries that are loaded in the block are not touched. OpenMP's and MKL's number belongs to the thread that runs the
    block, OpenBLAS's to the process. Blocks may end in any order, also on several threads: what the newest open one asked
    for holds, and the last puts back the number before the first. A block has to end on the thread on which it began. In
    a forked child the end restores the child's own.

    As a decorator it has each call of a function in a block of its own, coroutines and generators from their first
    step to their end.

    Examples
    --------
    >>> import within as wi
    >>> with wi.threads(1):
    ...     eigenvalues = [sum(row) for row in ((1, 2), (3, 4))]
    >>> @wi.threads(4)
    ... def decompose(matrices): ...
    """

    __module__ = "within"

    def __init__(self, n):
        self._n = index(n)
        if self._n < 1:
            raise ValueError(f"threads(): there must be 1 or more, not {self._n}")

    def __repr__(self):
        return f"<within.threads {self._n}>"

    def _begin(self):
        core, threadpoolctl = CoreBlock.threads(self._n), sys.modules.get("threadpoolctl")
        if threadpoolctl is None:
            return core, None
        from ._threadpoolctl import Block

        return Block(threadpoolctl, core, self._n), None

    def _again(self):
        return type(self)(self._n)
