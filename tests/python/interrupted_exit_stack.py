"""Interrupt ExitStack at random moments, and count how often a lock that it entered stays locked.

    python tests/python/interrupted_exit_stack.py [SECONDS]

prints a line for the standard library and one for within: the module, interrupts, leaked locks.
"""

import contextlib
import random
import signal
import sys
import threading
import time

import within.contextlib


def interrupt(*_):
    raise KeyboardInterrupt


def count_leaks(ExitStack, seconds):
    """Return how many interrupts there were, and after how many of them the lock was left locked."""
    interrupts = leaks = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lock = threading.Lock()
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(20e-6, 60e-6))
            for _ in range(200):
                with ExitStack() as stack:
                    stack.enter_context(lock)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupts += 1
        leaks += lock.locked()
    return interrupts, leaks


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    signal.signal(signal.SIGALRM, interrupt)
    for module in (contextlib, within.contextlib):
        print(module.__name__, *count_leaks(module.ExitStack, seconds))


if __name__ == "__main__":
    main()
