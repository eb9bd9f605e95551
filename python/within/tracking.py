"""MLflow's functions on a database of runs: a script changes ``import mlflow`` to ``import within.tracking as mlflow``.

What is here has MLflow's names, arguments and meaning, as far as one local file can have it; docs/runs/python.md lists
what differs. An experiment is a tag of that name on its runs. Runs of a thread nest in each other, as MLflow's do.
"""

import atexit
import json
import os
import threading
import urllib.parse

from . import _tracked, _tracked_queries
from ._open_run import Run, open_run

__all__ = [
    "ActiveRun",
    "active_run",
    "create_experiment",
    "end_run",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_parent_run",
    "get_run",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "last_active_run",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_text",
    "search_runs",
    "set_experiment",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
]


class _Runs(threading.local):
    """What a thread has begun and not ended, outermost first, and the id of its last."""

    def __init__(self):
        self.open = []
        self.last = None


_here = _Runs()
os.register_at_fork(after_in_child=lambda: _here.open.clear())
_set = {"database": None, "experiment": os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Default"}


# What scripts for MLflow call beside what is here, and what does the same.
_INSTEAD = {
    "MlflowClient": "get_run and search_runs read, and the log functions with run_id write",
    "autolog": "log in the training loop, or in a callback of its library: log_metrics(…, step=epoch)",
    "delete_experiment": "within delete removes runs from the database",
    "delete_run": "within delete removes runs from the database",
    "delete_tag": "set_tag(key, '') empties it",
    "enable_system_metrics_logging": "peak memory is kept of each run by itself; wi.memory measures blocks",
    "log_image": "save it, and log_artifact the file; log_figure keeps figures",
    "log_input": "set_tag or log_param can name the data",
    "log_model": "save it, and log_artifact the file",
    "log_stream": "write it to a file, and log_artifact that",
    "log_table": "write it to a file, and log_artifact that; log_dict keeps dicts",
    "search_experiments": "an experiment is a tag of its runs: search_runs(search_all_experiments=True)",
    "set_experiment_tag": "an experiment is a tag of its runs: set_tag in these",
    "set_experiment_tags": "an experiment is a tag of its runs: set_tags in these",
    "tracking": "this module is what it has: within.tracking.get_run",
}


def __getattr__(name):
    instead = _INSTEAD.get(name) or (
        "a local database has parameters, metrics, tags, artifacts and outcomes of runs, and nothing else of MLflow; "
        "`within push --mlflow URL` sends them to its server, where the rest can be added"
    )
    raise AttributeError(f"within.tracking has no {name!r}: {instead}")


# ---- where ----


def set_tracking_uri(uri):
    """Set the database of the runs that are started from now on: a path, or ``sqlite:///path``.

    Raises
    ------
    NotImplementedError
        It is of a server, or of another kind of database.
    """
    _set["database"] = _tracked.database_of(uri)


def get_tracking_uri():
    """Return the database's URI: ``sqlite:///`` and its absolute path."""
    return f"sqlite:///{_tracked.path_of(_set['database'])}"


def is_tracking_uri_set():
    """Return whether `set_tracking_uri` or the environment's WITHIN_DATABASE says which database it is."""
    return bool(_set["database"] or os.environ.get("WITHIN_DATABASE"))


def set_experiment(experiment_name=None, experiment_id=None, trace_location=None):
    """Have runs that are started from now on carry that experiment; return it.

    Its id is its name. A run that has no name of its own gets the experiment's.
    """
    _tracked.refuse("set_experiment", trace_location=trace_location)
    name = experiment_name or experiment_id
    if not isinstance(name, str):
        raise TypeError(f"set_experiment() needs a name, a str, not {name!r}")
    _set["experiment"] = name
    return _tracked.Experiment(name)


def create_experiment(name, artifact_location=None, tags=None, trace_location=None):
    """Return the id of the experiment of that name, which is the name: there is nothing to be made."""
    _tracked.refuse("create_experiment", artifact_location=artifact_location, tags=tags, trace_location=trace_location)
    return name


def get_experiment_by_name(name):
    """Return the experiment of that name, or None if no run carries it."""
    runs = _tracked.runs(_set["database"])
    return _tracked.Experiment(name) if any(run.info.experiment_id == name for run in runs) else None


def get_experiment(experiment_id):
    """Return the experiment of that id, which is its name: LookupError if no run carries it."""
    found = get_experiment_by_name(experiment_id)
    if found is None:
        raise LookupError(f"{_tracked.path_of(_set['database'])}: no run is of the experiment {experiment_id!r}")
    return found


# ---- runs ----


class ActiveRun(_tracked.Run):
    """A run that `start_run` has begun: a manager whose block's end is the run's end."""

    def __init__(self, run):
        self._run = run
        self._database = run._arguments[1]
        self._known = None  # the run's status when its info was read, and the info

    @property
    def info(self):
        """What is known of the run: ``run_id``, ``run_name``, ``status``, ``start_time`` and others."""
        if not self._known or self._known[0] != self._run.status:
            self._known = self._run.status, self._now().info
        return self._known[1]

    @property
    def data(self):
        """``metrics``, ``params`` and ``tags``, as they are in the database at this moment."""
        return self._now().data

    def _now(self):
        return _tracked.run(self._database, self._run.id)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if self in _here.open:
            _end_those_above(self)
        if self._run._is_open:
            self._run.__exit__(kind, error, traceback)


def start_run(
    run_id=None,
    experiment_id=None,
    run_name=None,
    nested=False,
    parent_run_id=None,
    tags=None,
    description=None,
    log_system_metrics=None,
):
    """Begin a run, or go on with the one of that id; return an `ActiveRun`.

    Raises
    ------
    Exception
        A run of this thread is open, and this one is not ``nested``.
    LookupError
        There is no run of that id, or of the parent's.
    """
    _tracked.refuse("start_run", log_system_metrics=log_system_metrics)
    if active_run() and not nested:
        open_id = _here.open[0]._run.id
        raise Exception(
            f"Run with UUID {open_id} is already active. To start a new run, first end the current run with "
            "mlflow.end_run(). To start a nested run, call start_run with nested=True"
        )
    experiment = str(experiment_id) if experiment_id is not None else _set["experiment"]
    database = _tracked.path_of(_set["database"])
    parent = parent_run_id and _tracked.run(database, parent_run_id).info.run_id
    tags = {**({} if run_id else {_tracked.EXPERIMENT: experiment}), **(tags or {})}
    if description is not None:
        tags["mlflow.note.content"] = description
    name = run_name or (_tracked.run(database, run_id).info.run_name if run_id else experiment)
    run = ActiveRun(Run(name, database, None, tags, run_id))
    run._run._enter(parent)
    _here.open.append(run)
    _here.last = database, run._run.id
    return run


def end_run(status="FINISHED"):
    """End the innermost run of this thread; without one it does nothing.

    Parameters
    ----------
    status : str
        "FINISHED", "FAILED", or "KILLED", which is kept as INTERRUPTED.
    """
    if status not in _tracked.ENDED:
        raise ValueError(f"end_run(): status must be one of {', '.join(_tracked.ENDED)}, not {status!r}")
    if active_run():
        _here.open.pop()._run._finish(_tracked.ENDED[status])


def active_run():
    """Return the innermost `ActiveRun` of this thread, or None."""
    while _here.open and not _here.open[-1]._run._is_open:  # another thread has ended it
        _here.open.pop()
    return _here.open[-1] if _here.open else None


def last_active_run():
    """Return the run that is active in this thread, or the last one that was, or None."""
    return active_run() or (_tracked.run(*_here.last) if _here.last else None)


def get_run(run_id):
    """Return the run of that id, as the database has it now: LookupError if there is none."""
    return _tracked.run(_set["database"], run_id)


def get_parent_run(run_id):
    """Return the run that the run of that id is a child of, or None."""
    parent = get_run(run_id).data.tags.get("mlflow.parentRunId")
    return parent and get_run(parent)


def search_runs(
    experiment_ids=None,
    filter_string="",
    run_view_type=1,
    max_results=100000,
    order_by=None,
    output_format="pandas",
    search_all_experiments=False,
    experiment_names=None,
):
    """Return the runs of some experiments that a filter lets through, newest first: a DataFrame, or a list.

    Parameters
    ----------
    filter_string : str
        Comparisons with ``and`` between them: ``metrics.loss < 0.1 and params.rate = '0.5'``, of metrics, params, tags
        and attributes (run_id, run_name, status, start_time, end_time), by =, !=, <, <=, >, >=, LIKE and ILIKE.
    order_by : list of str
        As in ``["metrics.loss ASC", "start_time DESC"]``.
    output_format : "pandas" or "list"
    """
    _tracked.refuse("search_runs", run_view_type=None if run_view_type == 1 else run_view_type)
    experiments = [*(experiment_ids or []), *(experiment_names or [])]
    if not experiments and not search_all_experiments:
        experiments = [_set["experiment"]]
    found = _tracked.runs(_set["database"])
    if not search_all_experiments:
        found = [run for run in found if run.info.experiment_id in map(str, experiments)]
    found = _tracked_queries.filtered(found, filter_string)
    found = _tracked_queries.in_order(found, order_by or [])[:max_results]
    if output_format == "list":
        return found
    if output_format != "pandas":
        raise ValueError(f'search_runs(): output_format must be "pandas" or "list", not {output_format!r}')
    return _tracked.frame(found)


# ---- logging ----


def log_metric(key, value, step=None, synchronous=None, timestamp=None, run_id=None, model_id=None, dataset=None):
    """Log a point of a metric; without a step it has step 0, as MLflow has it. A timestamp is in ms since 1970."""
    _tracked.refuse("log_metric", model_id=model_id, dataset=dataset)
    _run(run_id)._log_named(step or 0, (key,), (value,), timestamp)


def log_metrics(metrics, step=None, synchronous=None, run_id=None, timestamp=None, model_id=None, dataset=None):
    """Log a point of each metric of a dict; without a step they have step 0."""
    _tracked.refuse("log_metrics", model_id=model_id, dataset=dataset)
    _run(run_id)._log_named(step or 0, tuple(metrics), tuple(metrics.values()), timestamp)


def log_param(key, value, synchronous=None):
    """Note a parameter, and return its value."""
    _run().log_param(key, value)
    return value


def log_params(params, synchronous=None, run_id=None):
    """Note each parameter of a dict."""
    _run(run_id).log_params(params)


def set_tag(key, value, synchronous=None):
    """Note a tag, in place of the value that it had."""
    _run().set_tag(key, value)


def set_tags(tags, synchronous=None):
    """Note each tag of a dict."""
    _run().set_tags(tags)


def flush_async_logging():
    """Do nothing: what was logged is in the run's journal when the call returns, whatever ``synchronous`` says."""


def flush_artifact_async_logging():
    """Do nothing: artifacts are copied when the call returns."""


def log_artifact(local_path, artifact_path=None, run_id=None):
    """Keep a copy of a file, or of a folder, in the folder `artifact_path` of the run's artifacts."""
    local_path = os.fspath(local_path)
    _run(run_id).log_artifact(local_path, _inside(artifact_path, os.path.basename(local_path.rstrip("/"))))


def log_artifacts(local_dir, artifact_path=None, run_id=None):
    """Keep copies of all in a folder, in the folder `artifact_path` of the run's artifacts."""
    run = _run(run_id)
    for name in sorted(os.listdir(local_dir)):
        run.log_artifact(os.path.join(local_dir, name), _inside(artifact_path, name))


def log_text(text, artifact_file, run_id=None):
    """Keep a file with that text."""
    _run(run_id).log_text(text, artifact_file)


def log_dict(dictionary, artifact_file, run_id=None):
    """Keep a file with a dict as JSON, which is YAML too."""
    _run(run_id).log_text(json.dumps(dictionary, indent=2, default=str), artifact_file)


def log_figure(figure, artifact_file, *, save_kwargs=None):
    """Keep a figure of Matplotlib or Plotly as a file."""
    _run().log_figure(figure, artifact_file, **(save_kwargs or {}))


def get_artifact_uri(artifact_path=None):
    """Return where the artifacts of the active run are, or one of them: a ``file://`` URI."""
    run = _run()
    folder = f"{run._arguments[1]}.artifacts/{run.id}"
    return "file://" + urllib.parse.quote(_inside(folder, artifact_path or ""))


def _inside(folder, name):
    return "/".join(part for part in ((folder or "").rstrip("/"), name) if part)


def _run(run_id=None):
    """The open run that is meant, of any thread; without one it is started, as MLflow does."""
    if run_id is None:
        return (active_run() or start_run())._run
    run = open_run(run_id)
    if run is None:
        raise NotImplementedError(
            f"within.tracking: run {run_id} is not open in this process, and only such are logged to; "
            "start_run(run_id=…) opens it again"
        )
    return run


def _end_those_above(run):
    while active_run() not in (run, None):
        end_run()


@atexit.register
def _end_all():
    while active_run():
        end_run()
