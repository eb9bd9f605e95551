"""Signals as exceptions that cut no exit: who may take which, and the process's end by the very signal."""

import math
import os
import time

from . import _within


class Interrupted(KeyboardInterrupt):
    """A signal that `interrupts` took: raised between two instructions of the main thread, in no manager's exit.

    It is a ``KeyboardInterrupt``, so that what handles those handles it too, and ``except Exception`` does not. One
    that nobody handles ends the process by its signal, after the traceback, the ``atexit`` functions and all flushes.

    Attributes
    ----------
    signal : signal.Signals
        Which one came.
    time : float
        When it came, in seconds since 1970.

    Examples
    --------
    >>> import signal, within as wi
    >>> try:
    ...     with wi.interrupts("SIGUSR1", grace=30):
    ...         signal.raise_signal(signal.SIGUSR1)
    ... except wi.Interrupted as interrupted:
    ...     print(interrupted, interrupted.signal.name, interrupted.grace_left > 29)
    SIGUSR1 SIGUSR1 True
    """

    __module__ = "within"

    _signal = None
    _time = None
    _deadline = math.inf

    @property
    def signal(self):
        """Which one came, a ``signal.Signals``."""
        return self._signal

    @property
    def time(self):
        """When it came, in seconds since 1970."""
        return self._time

    @property
    def grace_left(self):
        """Seconds that are left of the grace period: infinite without one, never negative."""
        return max(self._deadline - time.monotonic(), 0.0)


class interrupts:
    """Let signals raise `Interrupted` in the block, where that cuts no manager's exit.

    Blocks unwind, checkpoints are saved, and the process ends by that very signal, as whoever sent it expects. A
    second signal, before the first was worked off, does at once what it would have done without the block.

    Parameters
    ----------
    *signals : str, int or signal.Signals
        Those to take, ``"SIGTERM"`` or ``signal.SIGTERM``; without any, SIGTERM, SIGINT and SIGUSR1, as far as they
        are not ignored when the block begins.
    grace : float, optional
        Seconds that the process is given after the signal, by a batch system for example: what is left of them is
        told, in the record too. Nothing happens when they are over.

    Attributes
    ----------
    signal : signal.Signals or None
        What has come, also while it is not raised yet, also from other threads, and after the block.
    grace_left : float
        Seconds that are left of the grace period: all of it before a signal, infinite without one.

    Raises
    ------
    ValueError
        No such signal, more than eight, or a negative or undefined grace period; by the block's begin, a signal that
        cannot be taken: it tells of a fault (SIGSEGV), or does not end a process (SIGCHLD).
    RuntimeError
        By the block's begin: not on the main thread, or the object is open already.
    Interrupted
        In the block; by its end, if nothing in the block could be interrupted after the signal.

    Notes
    -----
    Only the main thread is interrupted, whichever thread a signal goes to. Functions that a signal had before, other
    than Python's own for SIGINT, are called before it is raised. In a forked child signals do at once what they did
    before the block.

    Examples
    --------
    >>> import signal, within as wi
    >>> with wi.interrupts(grace=30) as stop:
    ...     for step in range(1000):
    ...         pass
    >>> stop.signal is None, stop.grace_left
    (True, 30.0)
    """

    __module__ = "within"

    def __init__(self, *signals, grace=None):
        grace = math.inf if grace is None else float(grace)
        if not grace >= 0:
            raise ValueError(f"interrupts() grace must not be negative, but is {grace}")
        self._signals = tuple(dict.fromkeys(map(_named, signals or ("SIGTERM", "SIGINT", "SIGUSR1"))))
        if len(self._signals) > 8:
            raise ValueError(f"interrupts() takes eight signals at most, but here are {len(self._signals)}")
        self._core = _within.Interrupts(self._signals, bool(signals), grace)

    def __enter__(self):
        import threading

        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("interrupts() is for the main thread: signals are handled there")
        self._core.enter()
        return self

    def __exit__(self, kind, error, traceback):
        self._core.leave()

    @property
    def signal(self):
        """What has come, or None."""
        return self._core.signal

    @property
    def grace_left(self):
        """Seconds that are left of the grace period."""
        return self._core.grace_left

    def __repr__(self):
        return f"<within.interrupts of {', '.join(taken.name for taken in self._signals)}>"


class uninterrupted:
    """A block in which no `Interrupted` is raised: one that comes meanwhile is, right behind it.

    For steps that must be done whole or not at all: one of an optimizer, a state of several variables.

    Notes
    -----
    It counts for the thread that is in it, and for safe points of C code (``wi_poll``) there as well. A second signal
    acts at once all the same.

    Examples
    --------
    >>> import signal, within as wi
    >>> try:
    ...     with wi.interrupts("SIGUSR1"):
    ...         with wi.uninterrupted():
    ...             signal.raise_signal(signal.SIGUSR1)
    ...             print("whole")
    ...         print("not reached")
    ... except wi.Interrupted:
    ...     print("interrupted")
    whole
    interrupted
    """

    __module__ = "within"

    def __enter__(self):
        _within.begin_uninterrupted()

    def __exit__(self, kind, error, traceback):
        _within.end_uninterrupted()


def _named(value):
    """The signal.Signals of a name or number that can be taken."""
    import signal

    try:
        named = signal.Signals[value] if isinstance(value, str) else signal.Signals(value)
    except (KeyError, ValueError):
        raise ValueError(f"interrupts() knows no signal {value!r}") from None
    if named.name in ("SIGKILL", "SIGSTOP"):
        raise ValueError(f"interrupts() cannot take {named.name}: nobody can")
    return named


os.register_at_fork(after_in_child=_within.interrupts_forked)
