"""run, runs and active_run: what needs SQLite is loaded by the first run, not by `import within`."""

import sys


def run(name, database=None, params=None, tags=None, resume=None, timeout=None):
    """Keep a run of an experiment: its parameters, metrics, artifacts and outcome, in one SQLite file.

    The block gets the run, which is logged to: ``run.log(step, loss=0.5)``. What was logged is there after ``kill -9``
    too. Inside of another run's block it is that one's child.

    How the block ends is the run's outcome: FINISHED at its end, after a ``return``, and after ``sys.exit(0)``;
    INTERRUPTED after `Interrupted` or another ``KeyboardInterrupt``; FAILED after any other exception, with its message
    and traceback. A run whose process was killed is KILLED: whoever looks next finds that out.

    As a decorator it makes each call a run of its own.

    Parameters
    ----------
    name : str
        Need not be unique.
    database : path, optional
        Made if it is not there. By default what the environment's WITHIN_DATABASE says, or "runs.db".
    params, tags : mapping of str to object, optional
        As `log_params` and `set_tags` take them.
    resume : str, optional
        The id of a run that goes on, or its first digits.
    timeout : float, optional
        How long to wait, in s, while others hold the database, at the block's begin and at its end; 120 by default. At
        the end nothing is lost by it: what does not get in stays beside the database, and whoever looks next brings
        it in.

    Returns
    -------
    Run
        A manager, for one block. Its attributes are `name`, `id` (32 hexadecimal digits, None before the block), and
        `status`: None before the block, "RUNNING" in it, then the outcome.

        ============================================  =====================================================
        ``log(step=None, **metrics)``                 a point of each metric
        ``log_metric(name, value, step=None)``        of one, by any name
        ``log_metrics(metrics, step=None)``           of a mapping
        ``log_param(name, value)``, ``log_params``    what does not change in a run; ``str()`` of the value
        ``set_tag(name, value)``, ``set_tags``        what may: the last value counts
        ``log_artifact(path, name=None)``             a copy of a file, or of all in a folder
        ``log_text(text, name)``                      a file of that text
        ``log_figure(figure, name, **options)``       what Matplotlib's savefig or Plotly's write_html make
        ============================================  =====================================================

        A metric's value is an int, a float, or what ``float()`` takes but for texts: NumPy's scalars, tensors of one
        element. Without a step it is one more than in the last such call, and 0 in the first.

    Raises
    ------
    TypeError
        In the methods: a metric's value is no number, or a name no str. Nothing of that call is logged.
    OverflowError
        In the methods: a metric's value is an int that is too large for a double. Nothing of that call is logged.
    ValueError
        In the block's begin: `resume` is no run of the database, or of several, or of one that is running. In
        `log_param`: it has another value already.
    within.DataError
        In the begin: the file is no database of runs, or a newer version's.
    OSError
        In the begin or a method: the file cannot be opened, written or read, or the disk is full.
    sqlite3.OperationalError
        In the begin: others hold the database for longer than the timeout.
    RuntimeError
        In the begin: the object was in a block already. In a method: the run is not open, or this is a forked child of
        its process.
    ImportError
        There is no SQLite library, or this package was built without it.

    Notes
    -----
    Any number of threads may log into a run, and any number of processes write runs into a database. How points get
    into it, and what else is noted, is in docs/runs.md.

    Examples
    --------
    >>> import within as wi
    >>> with wi.tempdir() as folder:
    ...     database = f"{folder}/runs.db"
    ...     with wi.run("descent", database, params={"rate": 0.25}) as run:
    ...         x = 1.0
    ...         for step in range(3):
    ...             run.log(step, x=x)
    ...             x -= 0.25 * 2 * x
    ...     [found] = wi.runs(database)
    ...     print(found.name, found.status, found.params, found.metrics)
    ...     print(*found.series("x").values)
    descent FINISHED {'rate': '0.25'} {'x': 0.25}
    1.0 0.5 0.25
    """
    from ._open_run import Run

    return Run(name, database, params, tags, resume, timeout)


def active_run():
    """Return the innermost run that is open here, else the newest that is open in this process, else None.

    "Here" is the thread or task: a task has the runs of those that made it, a thread has none of others.

    Examples
    --------
    >>> import within as wi
    >>> wi.active_run() is None
    True
    """
    open_run = sys.modules.get("within._open_run")
    return open_run and open_run.innermost()


def runs(database=None, name=None):
    """Read a database of runs: a list of StoredRun, oldest first.

    Runs of dead processes that it calls RUNNING are put right on the way. Of runs that are still open the points of
    the last tenths of a second may be missing.

    Parameters
    ----------
    database : path, optional
        As of `run`.
    name : str, optional
        Of the runs to read; by default all.

    Returns
    -------
    RunList
        A list, with a method ``to_pandas()``: a DataFrame with a row a run. Notebooks show it as a table. A StoredRun
        has the attributes `id`, `name`, `status`, `parent` (an id, or None), `started`, `ended` (in seconds since 1970;
        None if it is not over), `error`, `params`, `tags`, `environment` (dicts of texts) and `metrics` (a dict of each
        metric's last value), and the methods

        ``series(metric)``
            the points in the order in which they were logged: a named tuple of three arrays, `steps`, `values` and
            `times` (in seconds since 1970). They are NumPy's if that is imported, else ``array.array``. KeyError if
            there are none.
        ``to_pandas()``
            all points in a DataFrame, with the columns metric, step, value and time.

    Raises
    ------
    OSError, within.DataError, sqlite3.OperationalError, ImportError
        As of `run`.

    Examples
    --------
    >>> import within as wi
    >>> with wi.tempdir() as folder:
    ...     for seed in 1, 2:
    ...         with wi.run("walk", f"{folder}/runs.db", params={"seed": seed}) as run:
    ...             run.log(distance=0.5 * seed)
    ...     for found in wi.runs(f"{folder}/runs.db"):
    ...         print(found.params["seed"], found.metrics)
    1 {'distance': 0.5}
    2 {'distance': 1.0}
    """
    from ._stored_runs import read

    return read(database, name)


for _each in run, active_run, runs:
    _each.__module__ = "within"
