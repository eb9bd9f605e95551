"""The report of a profiler as text: a line for each path."""

from ._stats import GPU, has_gpu

WIDTH = 50  # of the rule below the title
PATH_WIDTH, CALLS_WIDTH = 40, 4  # at least
LONGEST_PADDED_PATH = 80  # longer ones stick out
KNOWN = ("calls", "total", "mean", "std")
FURTHER = ("self", "min", "p50", "p99", "max", "errors")
COUNTS = ("calls", "errors")
BYTES = {"gpu_delta": "+.1f", "gpu_peak": ".1f"}


def text(stats, columns=(), title="Profiling Report"):
    """Return the report of `stats`, a list of SectionStats, without a newline at its end."""
    names = KNOWN + further(columns, stats)
    lines = [title, "=" * WIDTH]
    if stats:
        cells = [_paths(stats), *(_column(name, stats) for name in names)]
        lines += map(" ".join, zip(*cells))
    return "\n".join(lines)


def further(columns, stats):
    """Return the names of the columns asked for, checked; in the order they were asked for in."""
    if columns == "all":
        return FURTHER + GPU if has_gpu(stats) else FURTHER
    if isinstance(columns, str):
        columns = columns.replace(",", " ").split()
    try:
        columns = tuple(columns)
    except TypeError:
        kind = type(columns).__name__
        raise TypeError(f"Profiler.report() columns must be names of columns, not {kind}") from None
    for name in columns:
        if name not in KNOWN + FURTHER + GPU:
            raise ValueError(f"Profiler.report() columns: there is no {name!r}, but {', '.join(FURTHER + GPU)}")
    return tuple(name for name in dict.fromkeys(columns) if name not in KNOWN)


def _paths(stats):
    padded = (len(line.path) for line in stats if len(line.path) <= LONGEST_PADDED_PATH)
    width = max(PATH_WIDTH, *padded, 0)
    return [line.path.ljust(width) for line in stats]


def _column(name, stats):
    values = [getattr(line, name) for line in stats]
    shown = [_cell(name, value) for value in values]
    width = max(CALLS_WIDTH if name == "calls" else 0, *map(len, shown))
    return [f"{name}={value:>{width}}" for value in shown]


def _cell(name, value):
    if name in COUNTS:
        return str(value)
    if value is None or value != value:
        return "-"
    return f"{value / 1e6:{BYTES[name]}}MB" if name in BYTES else f"{value:.4f}s"
