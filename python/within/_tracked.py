"""Runs of the database as MLflow shows them: entities and tables for `within.tracking`."""

import os
import urllib.parse
from types import SimpleNamespace

from ._open_run import path_of
from ._stored_runs import read, read_one

EXPERIMENT = "experiment"  # the tag
ENDED = {"FINISHED": "FINISHED", "FAILED": "FAILED", "KILLED": "INTERRUPTED"}
_SERVERS = ("databricks", "databricks-uc", "uc")
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
    if uri not in _SERVERS and (not colon or "/" in scheme):
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


# ---- tables ----


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
