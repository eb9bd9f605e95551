"""Interrupt nested blocks at random moments, and count how often an exit did not run exactly once and to its end.

    python tests/python/interrupted_blocks.py COUNT [python]

prints the number of interrupts, by within.interrupts or by a plain handler of Python, and of those that broke a block.
"""

import contextlib
import random
import signal
import sys
import threading

import within as wi
import within.contextlib

opened, closed = [], []


class Plain:
    """Its exit takes a while, and calls functions in which a signal can come."""

    def __enter__(self):
        opened.append(self)
        return self

    def __exit__(self, *error):
        for _ in range(3):
            str(_)
        closed.append(self)


class Renamed(Plain):
    """Its methods have other names than with statements look for."""

    def open(self):
        return Plain.__enter__(self)

    def close(self, *error):
        for _ in range(3):
            str(_)
        closed.append(self)

    __enter__, __exit__ = open, close


def generator():
    me = object()
    opened.append(me)
    try:
        yield me
    finally:
        str(me)
        closed.append(me)


of_standard = contextlib.contextmanager(generator)
of_within = within.contextlib.contextmanager(generator)
lock = threading.Lock()


def stacked(ExitStack):
    with ExitStack() as stack:
        stack.enter_context(Plain())
        stack.enter_context(of_within())
        stack.enter_context(lock)
        str(stack)


@of_within()
def decorated():
    str(lock)


def work():
    while True:
        with Plain(), Renamed(), of_standard():
            with of_within(), wi.section("inner"):
                stacked(contextlib.ExitStack)
                stacked(within.contextlib.ExitStack)
            for _ in range(30):  # most programs are not in an exit most of the time
                str(_)
            decorated()
            with lock:
                str(lock)


def broken():
    """Is anything open still, or closed twice? Then begin afresh."""
    wrong = lock.locked() or sorted(map(id, opened)) != sorted(map(id, closed))
    if lock.locked():
        lock.release()
    opened.clear()
    closed.clear()
    return wrong


@contextlib.contextmanager
def plain_handler():
    """What a program does today."""

    def handler(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupt(manager):
    """Work until a signal comes."""
    try:
        with manager:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(20e-6, 400e-6))
            work()
    except KeyboardInterrupt:
        pass


def main():
    count, wrong = int(sys.argv[1]), 0
    for _ in range(count):
        interrupt(plain_handler() if "python" in sys.argv else wi.interrupts("SIGALRM"))
        wrong += broken()
    print(count, wrong)


if __name__ == "__main__":
    main()
