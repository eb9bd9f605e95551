"""watch: which section leaks, how fast, and when the wall is reached."""

import collections

from . import _within


Leak = collections.namedtuple(
    "Leak",
    [
        "section",
        "what",
        "text",
        "is_suspicion",
        "is_withdrawn",
        "per_call",
        "since_call",
        "seconds_left",
        "explanation",
    ],
)
Leak.__module__ = "within"
Leak.__doc__ = """Something that grows from call to call of a section.

Attributes
----------
section : str
    The section's path: ``"epoch > load"``; ``"between calls of epoch"`` for what happens outside of it.
what : str
    ``"descriptors"``, ``"threads"``, ``"HDF5 handles"``, ``"GPU memory"``, ``"resident memory"``, ``"Python blocks"``.
text : str
    ``"+3.0 descriptors a call since call 40; limit 1,024 reached in about 5 h 10 min (call 310)"``.
is_suspicion : bool
    Memory that grows, perhaps not for ever. False: a leak.
is_withdrawn : bool
    It levelled off, or went back.
per_call : float
    How many, or how many bytes, a call leaves behind.
since_call : int
    When it began.
seconds_left : float or None
    Until the limit is reached; None if there is none.
explanation : tuple of str
    What there is more of, the largest first: ``"descriptors: +8 data/part-0001.csv"``. Empty until it is known, and
    without ``explain=True``.
"""


class watch:
    """Watch what sections leave behind while the block runs, and say which one leaks.

    Descriptors, threads, resident memory, handles of HDF5, memory of the GPU and Python's blocks are counted before
    and after calls. What grows through two looks, the first after 32 calls and each at twice the calls of the one before, is told on
    stderr; memory through three. What levels off later is withdrawn.

    Parameters
    ----------
    *sections : str
        Names, or ends of paths: ``"load"``, ``"epoch > load"``. By default what is called again and again on the
        outside, the outermost loop; what grows is told of the section in it that it happens in.
    explain : bool, optional
        Find out what it is that grows: in the section that was told, open descriptors by path, threads by name, of memory
        mappings, the allocator's statistics and types of objects are listed before a call and again when enough has
        grown. The largest differences are told, and are the finding's `explanation`.
    quiet : bool, optional
        Tell nothing on stderr; `leaks` and the record have it all the same.

    Raises
    ------
    RuntimeError
        If this object is in a block already.

    Notes
    -----
    It costs less than 1 % of the time: of sections that are called often only some calls are looked at.
    ``WITHIN_WATCH=1`` in the environment, and ``within run --watch``, watch a whole program; with
    ``WITHIN_WATCH_EXPLAIN=1`` beside it, and ``within run --explain``, findings are explained.

    Examples
    --------
    >>> import within as wi
    >>> kept = []
    >>> with wi.watch(quiet=True) as watch:
    ...     for _ in range(100):
    ...         with wi.section("epoch"):
    ...             pass
    >>> watch.leaks
    []
    """

    def __init__(self, *sections, explain=False, quiet=False):
        for name in sections:
            if not isinstance(name, str):
                raise TypeError(f"watch() takes names of sections, str, not {type(name).__name__}")
            if not name.strip() or "," in name or "\0" in name:
                raise ValueError(f"watch(): {name!r} is no name of a section to watch")
        self.sections = sections
        self.explain = bool(explain)
        self.quiet = bool(quiet)
        self._watch = None
        self._is_open = False

    def __enter__(self):
        if self._is_open:
            raise RuntimeError("watch is in a block already: one object watches one at a time")
        names = ",".join(self.sections).encode() if self.sections else None
        self._watch = _within.Watch(names, self.quiet, self.explain)
        self._watch.enter()
        self._is_open = True
        return self

    def __exit__(self, kind, error, traceback):
        if not self._is_open:
            raise RuntimeError("watch is not in a block")
        self._is_open = False
        self._watch.leave()

    @property
    def leaks(self):
        """What was found so far, in the order in which it was told, at most 8: a list of `Leak`."""
        return [Leak(*leak) for leak in self._watch.leaks()] if self._watch else []


watch.__module__ = "within"
