"""The report of a profiler as a table for notebooks: one piece of HTML that needs nothing else."""

import html

from ._stats import GPU, has_gpu

COLUMNS = ("calls", "total", "self", "mean", "std", "min", "p50", "p99", "max", "errors")
HINTS = {
    "calls": "calls, those that are open included",
    "total": "time of all calls",
    "self": "total less the sections inside; the bar is its share of all time",
    "mean": "of one call",
    "std": "standard deviation of the population",
    "p50": "median, within 7 %",
    "p99": "99th percentile, within 7 %",
    "errors": "calls that an exception ended",
    "gpu": "time on the GPU, of the calls whose time there is known",
    "gpu_delta": "memory of the GPU at the calls' ends less that at their begins",
    "gpu_peak": "the most memory of the GPU at any time of any call",
}
BYTES = {"gpu_delta": "+,.1f", "gpu_peak": ",.1f"}
# Colours are the page's own, so that dark pages stay dark; all rules are inside the table's class.
STYLE = """
.within-report { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
.within-report caption { text-align: left; font-weight: 600; padding: 4px 8px; caption-side: top; color: inherit; }
.within-report th, .within-report td { text-align: right; padding: 3px 8px; white-space: nowrap; border: 0; }
.within-report th { border-bottom: 1px solid rgba(128, 128, 128, .6); font-weight: 600; }
.within-report tbody tr { border-bottom: 1px solid rgba(128, 128, 128, .2); background: none; }
.within-report tbody tr:hover { background: rgba(128, 128, 128, .12); }
.within-report .path { text-align: left; }
.within-report .around { opacity: .55; }
.within-report .bad { color: #d1242f; font-weight: 600; }
"""
BAR = "rgba(31, 119, 180, .3)"
UNITS = ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def table(stats, title="Profiling Report"):
    """Return `stats`, a list of SectionStats, as HTML; names are escaped."""
    whole = sum(line.self for line in stats) or 1
    columns = COLUMNS + GPU if has_gpu(stats) else COLUMNS
    rows = "".join(_row(line, columns, line.self / whole) for line in stats)
    if not stats:
        rows = f'<tr><td class="path" colspan="{1 + len(columns)}">no sections yet</td></tr>'
    heads = "".join(f'<th title="{HINTS.get(name, "of one call")}">{name}</th>' for name in columns)
    return (
        f'<style>{STYLE}</style><table class="within-report"><caption>{html.escape(title)}</caption>'
        f'<thead><tr><th class="path">path</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(line, columns, share):
    cells = "".join(_cell(name, getattr(line, name), share) for name in columns)
    return f'<tr><td class="path">{_path(line.path)}</td>{cells}</tr>\n'


def _path(path):
    around, separator, name = path.rpartition(" > ")
    return f'<span class="around">{html.escape(around + separator)}</span>{html.escape(name)}'


def _cell(name, value, share):
    if name == "self":
        bar = f"linear-gradient(to left, {BAR} {100 * share:.1f}%, transparent 0)"
        return f'<td style="background: {bar}">{duration(value)}</td>'
    if name == "errors":
        return f'<td class="bad">{value:,}</td>' if value else "<td>0</td>"
    if name in BYTES:
        return "<td>–</td>" if value is None else f"<td>{value / 1e6:{BYTES[name]}} MB</td>"
    return f"<td>{value:,}</td>" if name == "calls" else f"<td>{duration(value)}</td>"


def duration(seconds):
    """Return a time with four digits in the unit that suits it."""
    if seconds is None or seconds != seconds:
        return "–"
    if seconds >= 1000:
        return f"{seconds:,.0f} s"
    if seconds == 0:
        return "0 s"
    seconds = float(f"{seconds:.4g}")  # what rounds up to 1000 ms is 1 s
    scale, unit = next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])
    return f"{seconds / scale:#.4g} {unit}"
