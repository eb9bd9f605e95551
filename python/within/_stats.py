"""What a profiler knows of a path: the record that stats() gives, and its ways into other forms."""

import collections

SectionStats = collections.namedtuple(
    "SectionStats", ["path", "calls", "total", "self", "mean", "std", "min", "p50", "p99", "max", "errors"]
)
SectionStats.__module__ = "within"
SectionStats.__doc__ = """What was measured on one path of nested sections. Times are in seconds.

Attributes
----------
path : str
    Names from the outermost section to this one, joined with ``" > "``.
calls : int
    Calls that have ended, and those that are open.
total : float
    Time of all calls; open ones count up to now.
self : float
    ``total`` less what was spent in sections inside.
mean, std, min, max : float
    Of calls that have ended, ``std`` of the population; NaN as long as none has.
p50, p99 : float
    Median and 99th percentile, within 7 %; NaN as long as no call has ended.
errors : int
    Calls that an exception ended.
"""


def to_dict(stats):
    """Make a dictionary of dictionaries, by path, that JSON can tell: None stands for NaN."""
    return {line.path: {name: _or_none(value) for name, value in _figures(line)} for line in stats}


def _figures(line):
    return list(zip(line._fields, line))[1:]


def _or_none(value):
    return None if value != value else value


def to_pandas(stats):
    """Make a pandas.DataFrame with a row for each path."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("Profiler.to_pandas() needs pandas: pip install pandas", name="pandas") from error
    return pandas.DataFrame.from_records(stats, columns=SectionStats._fields)
