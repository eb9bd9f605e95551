"""Runs of the database as MLflow shows them: entities, filters, orders and tables for `within.tracking`."""

import os
import re
import urllib.parse
from types import SimpleNamespace

from ._open_run import path_of
from ._stored_runs import read, read_one

EXPERIMENT = "experiment"  # the tag
ENDED = {"FINISHED": "FINISHED", "FAILED": "FAILED", "KILLED": "INTERRUPTED"}
_STATUS = {"INTERRUPTED": "KILLED"}  # what MLflow has no word for


def refuse(function, **arguments):
    """Say which argument is not there, if one was given."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"within.tracking.{function}({name}={value!r}): a local database has no such thing")


def database_of(uri):
    """The path in a tracking URI."""
    uri = os.fspath(uri)
    scheme, colon, rest = uri.partition(":")
    if not colon or "/" in scheme:
        return uri or None
    if scheme == "sqlite" and rest.startswith("///"):
        return urllib.parse.unquote(rest[3:])
    raise NotImplementedError(f"set_tracking_uri({uri!r}): runs are kept in a local SQLite file, sqlite:///PATH")


# ---- entities ----


class Experiment(SimpleNamespace):
    """An experiment: the runs that carry its tag. Its id is its name."""

    def __init__(self, name):
        super().__init__(name=name, experiment_id=name, lifecycle_stage="active", tags={})


class Run:
    """A run: ``info`` and ``data``, as MLflow's."""

    def __init__(self, stored):
        self.info = SimpleNamespace(
            run_id=stored.id,
            run_uuid=stored.id,
            run_name=stored.name,
            experiment_id=stored.tags.get(EXPERIMENT, "Default"),
            status=_STATUS.get(stored.status, stored.status),
            start_time=_ms(stored.started),
            end_time=_ms(stored.ended),
            artifact_uri=f"file://{urllib.parse.quote(stored._database)}.artifacts/{stored.id}",
            lifecycle_stage="active",
        )
        tags = {**stored.tags, "mlflow.runName": stored.name}
        if stored.parent:
            tags["mlflow.parentRunId"] = stored.parent
        self.data = SimpleNamespace(metrics=stored.metrics, params=stored.params, tags=tags)

    def __repr__(self):
        return f"<{type(self).__name__} {self.info.run_name!r} {self.info.run_id} {self.info.status}>"


def _ms(seconds):
    return None if seconds is None else round(1000 * seconds)


def run(database, id):
    """The run of that id."""
    return Run(read_one(database, id))


def runs(database):
    """All of a database, newest first; none if it is not there yet."""
    if not os.path.exists(path_of(database)):
        return []
    return [Run(each) for each in reversed(read(database))]


# ---- filters and orders ----

_KEY = r"""(?:(?P<kind>metrics?|params?|parameters?|tags?|attributes?|attr|run)\.)?(?P<key>[\w./-]+|`[^`]+`|"[^"]+")"""
_COMPARISON = re.compile(
    rf"""\s*{_KEY}\s*(?P<operator>!=|<=|>=|=|<|>|I?LIKE\b)\s*(?P<value>'[^']*'|"[^"]*"|[-+.\w]+)\s*(?P<next>AND\b|$)""",
    re.I,
)
_ORDER = re.compile(rf"\s*{_KEY}\s*(?P<way>ASC|DESC)?\s*$", re.I)
_OPERATORS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "like": lambda a, b: bool(re.fullmatch(_pattern(b), a, re.S)),
    "ilike": lambda a, b: bool(re.fullmatch(_pattern(b), a, re.S | re.I)),
}


def _pattern(like):
    return "".join({"%": ".*", "_": "."}.get(letter) or re.escape(letter) for letter in like)


def _value(run, kind, key):
    """What a run has under a key; None if it has nothing."""
    key, kind = key.strip('`"'), (kind or "attribute")[0].lower()
    if kind in "ar":
        key = {"created": "start_time", "Created": "start_time"}.get(key, key)
        return getattr(run.info, key)
    return getattr(run.data, {"m": "metrics", "p": "params", "t": "tags"}[kind]).get(key)


def filtered(runs, text):
    """Those of the runs that a filter lets through."""
    place = 0
    while text.strip() and place < len(text):
        found = _COMPARISON.match(text, place)
        if not found:
            raise NotImplementedError(f"search_runs(): the filter {text[place:].strip()!r} is not understood here")
        runs = [run for run in runs if _is_true(run, found)]
        place = found.end()
    return runs


def _is_true(run, found):
    value, other = _value(run, found["kind"], found["key"]), found["value"]
    other = other[1:-1] if other[0] in "'\"" else float(other)
    if value is None or isinstance(value, str) is not isinstance(other, str):
        return False
    return _OPERATORS[found["operator"].lower()](value, other)


def in_order(runs, order_by):
    """The runs by the first of the keys, then the second, …; those that lack a key are last."""
    for text in reversed(order_by):
        found = _ORDER.match(text)
        if not found:
            raise NotImplementedError(f"search_runs(): the order {text!r} is not understood here")
        has = [run for run in runs if _value(run, found["kind"], found["key"]) is not None]
        lacks = [run for run in runs if run not in has]
        backwards = (found["way"] or "").upper() == "DESC"
        has.sort(key=lambda run: _value(run, found["kind"], found["key"]), reverse=backwards)
        runs = has + lacks
    return runs


def frame(runs):
    """A DataFrame with a row a run, in MLflow's columns."""
    import pandas

    rows = []
    for run in runs:
        row = dict(vars(run.info))
        for column in "run_uuid", "run_name", "lifecycle_stage":
            del row[column]
        for column in "start_time", "end_time":
            row[column] = pandas.to_datetime(row[column], unit="ms", utc=True)
        for kind in "metrics", "params", "tags":
            row.update({f"{kind}.{key}": value for key, value in getattr(run.data, kind).items()})
        rows.append(row)
    return pandas.DataFrame(rows)
