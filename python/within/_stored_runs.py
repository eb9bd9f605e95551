"""Runs in a database, read: what they are, and their series as arrays."""

import collections
import sys

from ._open_run import _runs, path_of

Series = collections.namedtuple("Series", ["steps", "values", "times"])
Series.__module__ = "within"


class StoredRun:
    """A run as `within.runs` found it in its database."""

    __slots__ = (
        "_database", "_row", "ended", "environment", "error", "id", "metrics", "name", "params", "parent", "started",
        "status", "tags",
    )  # fmt: skip
    __module__ = "within"

    def __repr__(self):
        return f"<StoredRun {self.name!r} {self.id} {self.status}>"

    def series(self, metric):
        """Return the points of a metric: a named tuple of arrays, `steps`, `values` and `times`."""
        return self._series(_runs.Database(self._database), metric)

    def to_pandas(self):
        """Return all points in a DataFrame, with the columns metric, step, value and time."""
        import pandas

        database = _runs.Database(self._database)
        columns = {"metric": [], "step": [], "value": [], "time": []}
        for metric in self.metrics:
            steps, values, times = self._series(database, metric)
            columns["metric"] += [metric] * len(steps)
            columns["step"].extend(steps)
            columns["value"].extend(values)
            columns["time"].extend(times)
        return pandas.DataFrame(columns)

    def _series(self, database, metric):
        points = database.series(self._row, metric)
        if points is None:
            raise KeyError(metric)
        steps, values, ms = points
        return Series(_array(steps, "q"), _array(values, "d"), _seconds(ms))


class RunList(list):
    """What `within.runs` returns."""

    __slots__ = ()
    __module__ = "within"

    def to_pandas(self):
        """Return a DataFrame with a row a run: its attributes, then params.NAME, metrics.NAME and tags.NAME."""
        import pandas

        return pandas.DataFrame([_columns(each) for each in self])

    def _repr_html_(self):
        from ._runs_html import table

        return table(self)


def _columns(run):
    columns = {name: getattr(run, name) for name in ("id", "name", "status", "parent", "started", "ended")}
    for kind in "params", "metrics", "tags":
        columns.update({f"{kind}.{name}": value for name, value in getattr(run, kind).items()})
    return columns


# ---- arrays ----


def _array(points, kind):
    """The bytes as an array of int64 ("q") or double ("d")."""
    numpy = sys.modules.get("numpy")
    if numpy:
        return numpy.frombuffer(points, dtype="i8" if kind == "q" else "f8")
    import array

    return array.array(kind, bytes(points))


def _seconds(ms):
    times = _array(ms, "q")
    if "numpy" in sys.modules:
        return times / 1000
    return type(times)("d", (each / 1000 for each in times))


# ---- reading ----

_RUNS = """
SELECT run.id, run.uuid, run.name, run.status, parent.uuid, run.started_ms / 1000.0, run.ended_ms / 1000.0, run.error
FROM run LEFT JOIN run AS parent ON parent.id = run.parent WHERE {condition} ORDER BY run.started_ms, run.id"""
_TEXTS = "SELECT run, key, value FROM {table} WHERE {of_run}"
_METRICS = "SELECT run, name, last FROM series WHERE count > 0 AND {of_run} ORDER BY number"


def read(database=None, name=None):
    """What `within.runs` returns."""
    return _read(path_of(database), "run.name = ?", (name,)) if name is not None else _read(path_of(database))


def read_one(database, id):
    """The run of that id; LookupError if there is none."""
    found = _read(path_of(database), "run.uuid = ?", (id,))
    if not found:
        raise LookupError(f"{path_of(database)}: there is no run {id}")
    return found[0]


def _read(path, condition="1", texts=()):
    database, by_row = _runs.Database(path), {}
    of_run = f"run IN (SELECT id FROM run WHERE {condition})" if texts else "1"
    for row, *rest in database.rows(_RUNS.format(condition=condition), texts):
        run = by_row[row] = StoredRun()
        run._database, run._row = path, row
        run.id, run.name, run.status, run.parent, run.started, run.ended, run.error = rest
        run.params, run.tags, run.environment, run.metrics = {}, {}, {}, {}
    for table, attribute in ("param", "params"), ("tag", "tags"), ("environment", "environment"):
        _fill_in(by_row, attribute, database.rows(_TEXTS.format(table=table, of_run=of_run), texts))
    _fill_in(by_row, "metrics", database.rows(_METRICS.format(of_run=of_run), texts))
    return RunList(by_row.values())


def _fill_in(by_row, attribute, rows):
    for row, key, value in rows:
        if row in by_row:  # one that was begun meanwhile is not
            getattr(by_row[row], attribute)[key] = float("nan") if value is None else value
