#!/usr/bin/env python3
"""A training loop with faults to switch on, for the leak watch to find, and look-alikes that it must not take for one.

    within run --explain -- ./train.py --fault unclosed-file
    within run --watch -- ./train.py --innocent reopened-file
"""

import argparse
import sys
import time

import within as wi
from faults import FAULTS, INNOCENTS

BATCHES = 4


def spend(seconds):
    """Stand for work that takes nothing."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def train_epoch(epoch, extra):
    """Train one epoch; in one of its parts `extra` does something that may leave something behind."""
    with wi.section("epoch"):
        with wi.section("load"):
            extra.load(epoch)
            spend(0.0002)
        for _ in range(BATCHES):
            with wi.section("step"):
                spend(0.0002)
                extra.step(epoch)
        with wi.section("log"):
            extra.log(epoch)


def read_options():
    """Return the options, with `extra`, an object of what was switched on."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--fault", choices=sorted(FAULTS), help="leave something behind in each epoch")
    one.add_argument("--innocent", choices=sorted(INNOCENTS), help="what only looks as if it did")
    parser.add_argument("--epochs", type=int, default=3000)
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")
    return options


def main():
    options = read_options()
    kind = FAULTS.get(options.fault) or INNOCENTS.get(options.innocent) or INNOCENTS["nothing"]
    with kind() as extra:
        for epoch in range(options.epochs):
            train_epoch(epoch, extra)
    print(f"train.py: {options.epochs} epochs", file=sys.stderr)


if __name__ == "__main__":
    main()
