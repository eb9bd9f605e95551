"""A list of runs as a table for notebooks: one piece of HTML that needs nothing else."""

import html
import time

from ._report_html import STYLE, duration

MOST_RUNS = 100
MOST_COLUMNS = 12  # of params, and of metrics
GOOD = ("FINISHED", "RUNNING")


def table(runs):
    """Return `runs`, a list of StoredRun, as HTML: the newest of them; names and values are escaped."""
    shown = runs[: -MOST_RUNS - 1 : -1]
    params, metrics = _names(shown, "params"), _names(shown, "metrics")
    caption = f"{len(runs):,} run{'' if len(runs) == 1 else 's'}"
    if len(shown) < len(runs):
        caption += f", of which the newest {len(shown)}"
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in ("status", "started", "duration", *params, *metrics))
    rows = "".join(_row(run, params, metrics) for run in shown)
    return (
        f'<style>{STYLE}</style><table class="within-report"><caption>{caption}</caption>'
        f'<thead><tr><th class="path">name</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _names(runs, kind):
    """What the runs have of that kind, in the order of the oldest."""
    found = dict.fromkeys(name for run in reversed(runs) for name in getattr(run, kind))
    return list(found)[:MOST_COLUMNS]


def _row(run, params, metrics):
    mark = "" if run.status in GOOD else ' class="bad"'
    title = html.escape((run.error or "").partition("\n")[0], quote=True)
    lasted = (run.ended or time.time()) - run.started
    cells = [time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started)), duration(lasted)]
    cells += [html.escape(run.params.get(name, "")) for name in params]
    cells += [f"{run.metrics[name]:.6g}" if name in run.metrics else "" for name in metrics]
    return (
        f'<tr><td class="path">{html.escape(run.name)}</td><td{mark} title="{title}">{run.status}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>\n"
    )
