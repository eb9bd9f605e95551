"""Series of checkpoints: the core's, with paths, mappings and warnings as Python has them."""

import collections

from . import _within

Checkpoint = collections.namedtuple("Checkpoint", ["path", "sequence", "step", "time", "metrics"])
Checkpoint.__module__ = "within"
Checkpoint.__doc__ = """A checkpoint that was published.

Attributes
----------
path : pathlib.Path
    Of the file or folder; begins with the series' folder as it was given.
sequence : int
    From 1, in the order of publication.
step : int
    What ``save`` was told.
time : float
    When it was published, in seconds since 1970, as ``time.time()`` has it.
metrics : dict of str to float
    What ``save`` was told.
"""


class checkpoints:
    """A series of checkpoints in a folder, of which the newest that is whole is found after any end of a run.

    A checkpoint is a file or a folder. It counts once a manifest, with sizes and CRC32C of everything in it, is in
    the series' folder too. The block makes the folder, and removes what dead processes left in it; the methods also
    work without a block.

    Parameters
    ----------
    folder : path
        Made with those above it if it is not there.
    keep : int or None
        How many of the newest stay, beside the best; None for all.
    best : str or (str, "min" or "max"), optional
        A metric: the checkpoint that has its lowest value, or highest, stays.
    suffix : str
        Ends the names of what is saved, ".pt" for example.

    Attributes
    ----------
    folder : path
        As it was given.
    passed_over : list of (str, str)
        What the last ``latest()``, ``best()`` or ``list()`` passed over because it is damaged: names, and why.

    Raises
    ------
    ValueError
        ``keep`` is below 1, or ``best`` no metric and mode. In the block or a method: the suffix will not do.
    OSError
        In the block or a method: the folder cannot be made, written or read.

    Notes
    -----
    Any number of threads and processes may save into one folder.

    Examples
    --------
    >>> import within as wi
    >>> with wi.tempdir() as folder, wi.checkpoints(folder, keep=2, best="loss") as series:
    ...     for step, loss in enumerate([0.9, 0.2, 0.5, 0.4]):
    ...         with series.save(step=step, loss=loss) as path:
    ...             _ = path.write_text(f"the state after step {step}")
    ...     newest = series.latest()
    ...     print(newest.step, newest.metrics, newest.path.read_text())
    ...     print([checkpoint.step for checkpoint in series.list()], series.best("loss").step)
    3 {'loss': 0.4} the state after step 3
    [1, 2, 3] 1
    """

    __module__ = "within"

    def __init__(self, folder, keep=3, *, best=None, suffix=""):
        if keep is not None and keep < 1:
            raise ValueError(f"checkpoints() keep must be 1 or more, or None for all, not {keep!r}")
        self.folder = folder
        self.passed_over = []
        self._metric, self._mode = _metric_and_mode(best)
        keep = -1 if keep is None else keep
        self._series = _within.checkpoint_series(folder, keep, self._metric, self._mode == "max", suffix)

    def __repr__(self):
        return f"<within.checkpoints {str(self.folder)!r}>"

    def __enter__(self):
        self._series.enter()
        return self

    def __exit__(self, kind, error, traceback):
        self._series.leave()

    def save(self, *, step=0, suffix=None, metrics=None, **more_metrics):
        """Return a manager that saves a checkpoint: what its block makes at a path is published at its end.

        The block gets a ``pathlib.Path`` at which nothing is yet, and makes a file or a folder there, by whatever
        takes a path: ``torch.save``, ``numpy.savez``, ``open``, …. At its end everything in it is on the disk, and
        summed; what is beyond the series' ``keep`` is removed. After an exception nothing is published, and what
        the block wrote is removed.

        Parameters
        ----------
        step : int
            Kept with the checkpoint.
        suffix : str, optional
            In place of the series'. The path ends with it: functions that append what a name lacks, as
            ``numpy.savez`` does with ".npz", find it there.
        metrics : mapping of str to number, optional
            Kept with the checkpoint, as are all other keywords. At most 32, with names of at most 63 bytes of UTF-8.

        Raises
        ------
        TypeError, ValueError
            A metric is no number, or its name will not do.
        RuntimeError
            At the block's end: it made nothing at the path, or something beside it.
        ValueError
            At the end: there are symbolic links or special files in it.
        OSError, within.DataError
            At the end: it cannot be written to the disk, or has changed meanwhile. The series is as it was.
        """
        return _Save(_within.checkpoint_save(self._series, step, suffix, {**(metrics or {}), **more_metrics}))

    def latest(self):
        """Return the newest Checkpoint that is whole, or None.

        Every file has the size and the CRC32C that it was saved with, and none is missing or new. Those of which
        that is not so are passed over: there is a warning about each, and ``passed_over`` lists them.
        """
        return self._found(*self._series.latest())

    def best(self, metric=None, mode=None):
        """Return the Checkpoint that is whole and has the best value of a metric, or None.

        Of equals it is the newest. One without the metric, or with NaN, is never the best.

        Parameters
        ----------
        metric : str, optional
            By default the series'.
        mode : "min" or "max", optional
            By default the series' for its metric, and "min" for others.
        """
        if metric is None and self._metric is None:
            raise ValueError("best() needs a metric, since the series was given none")
        if metric is not None and metric != self._metric:
            metric, mode = _metric_and_mode((metric, mode or "min"))
        else:
            metric, mode = _metric_and_mode((self._metric, mode or self._mode))
        return self._found(*self._series.best(metric, mode == "max"))

    def list(self):
        """Return a list of all Checkpoints, oldest first; of each the manifest is whole, the rest is not looked at."""
        found, passed_over, sequence = [], {}, 0
        while True:
            each, passed = self._series.next(sequence)
            passed_over.update(dict.fromkeys(passed))
            if each is None:
                break
            found.append(_checkpoint(each))
            sequence = found[-1].sequence
        self._pass_over([*passed_over])
        return found

    def _found(self, found, passed_over):
        self._pass_over(passed_over)
        return found and _checkpoint(found)

    def _pass_over(self, passed_over):
        self.passed_over = passed_over
        if passed_over:
            import warnings

            for name, why in passed_over:
                text = f"checkpoints {str(self.folder)}: {name} is passed over: {why}"
                warnings.warn(text, RuntimeWarning, stacklevel=4)


class _Save:
    """What ``checkpoints.save`` returns."""

    def __init__(self, save):
        self._save = save

    def __enter__(self):
        import pathlib

        return pathlib.Path(self._save.begin())

    def __exit__(self, kind, error, traceback):
        self._save.end(kind)


def _checkpoint(found):
    import pathlib

    path, *rest = found
    return Checkpoint(pathlib.Path(path), *rest)


def _metric_and_mode(best):
    if best is None:
        return None, "min"
    metric, mode = (best, "min") if isinstance(best, str) else best
    if not isinstance(metric, str) or mode not in ("min", "max"):
        raise ValueError(f'the best is told by a metric, or a metric and "min" or "max", not by {best!r}')
    return metric, mode
