"""What a page shows of a command's output, and what of it is the same every time."""

import re

UNITS = {"s", "ms", "us", "ns", "B", "kB", "MB"}


def shown_below(page, command):
    """The ```text fence below the ```sh fence whose last line is the command."""
    _, found, rest = page.read_text().partition(f"\n{command}\n```\n```text\n")
    assert found, f"{page}: it shows nothing of {command}"
    return rest.partition("```\n")[0]


def words_of(text):
    """The words of each line, but for units and what has digits, or is all hexadecimal digits as an id may be."""
    is_same = re.compile(r"(?![0-9a-f]{8}$)[^0-9]+")
    return [[word for word in line.split() if is_same.fullmatch(word) and word not in UNITS] for line in text.splitlines()]
