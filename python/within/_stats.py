"""What a profiler knows of a path: the record that stats() gives, and its ways into other forms."""

import collections

GPU = ("gpu", "gpu_delta", "gpu_peak")

SectionStats = collections.namedtuple(
    "SectionStats",
    ["path", "calls", "total", "self", "mean", "std", "min", "p50", "p99", "max", "errors", *GPU],
    defaults=[None] * len(GPU),
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
gpu : float or None
    Time on the GPU, of the calls whose time there is known; None if there are none, as without ``gpu=True``.
gpu_delta, gpu_peak : int or None
    Bytes of the GPU's memory: in use at the ends of all calls less those at their begins, and the most in use at any
    time of any of them, with ``gpu=True`` or in blocks of `track_gpu_memory` inside; None if it is not known.
"""


def has_gpu(stats):
    """Whether anything is known of a GPU."""
    return any(getattr(line, name) is not None for line in stats for name in GPU)


def to_dict(stats):
    """Make a dictionary of dictionaries, by path, that JSON can tell: None stands for NaN."""
    left_out = ("path",) if has_gpu(stats) else ("path", *GPU)
    names = [name for name in SectionStats._fields if name not in left_out]
    return {line.path: {name: _or_none(getattr(line, name)) for name in names} for line in stats}


def _or_none(value):
    return None if value != value else value


def to_pandas(stats):
    """Make a pandas.DataFrame with a row for each path."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("Profiler.to_pandas() needs pandas: pip install pandas", name="pandas") from error
    return pandas.DataFrame.from_records(stats, columns=SectionStats._fields)
