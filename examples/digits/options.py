"""The options of the training, read and checked."""

import argparse
import math


def whole_number(least, most):
    """Return a reader of whole numbers from least to most."""

    def read(text):
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f'"{text}" is not a whole number') from None
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return number

    return read


def rate(text):
    """Read a number that is above 0, and finite."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number') from None
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and finite")
    return number


def read_options(arguments=None):
    """Read the command line. Help ends the program with status 0, a wrong option with a message and 2."""
    parser = argparse.ArgumentParser(
        prog="train.py",
        description="Train a network on handwritten digits, with NumPy.",
        epilog="A training that was ended early, by SIGTERM, Ctrl-C or kill -9, goes on when it is started again with "
        "the same options, and gives the same numbers as if it had not been. "
        "Each start is a run in the database that WITHIN_DATABASE names, by default runs.db: within runs lists them. "
        "Ends with status 1 if it knows no more than 95 % of the digits held out.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--epochs", metavar="N", type=whole_number(1, 100_000), default=300, help="passes over the digits")
    option("--batch-size", metavar="N", type=whole_number(1, 100_000), default=16, help="digits for each update")
    option("--hidden", metavar="N", type=whole_number(1, 100_000), default=256, help="units between the layers")
    option("--learning-rate", metavar="X", type=rate, default=0.05, help="length of an update's step")
    option("--seed", metavar="N", type=whole_number(0, 2**32 - 1), default=1, help="seed of the random numbers")
    option("--csv", metavar="PATH", default="digits.csv", help="where the loss of each epoch goes")
    option("--checkpoints", metavar="FOLDER", default="digits.checkpoints", help="where it writes down how far it is")
    return parser.parse_args(arguments)
