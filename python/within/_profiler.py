"""Profiler: sections of one's own, apart from the process's sections and from other profilers."""

from . import _within
from ._stats import SectionStats, to_dict, to_pandas

TITLE = "Profiling Report"


class Profiler(_within.Profiler):
    """Measure sections apart from all others, and report them.

    The sections of a profiler nest in each other as those of ``within.section`` do, with the same rules for
    threads, tasks and generators; they never nest in sections of ``within.section`` or of another profiler.
    They are in the process's record as well, below "Profiler 1", "Profiler 2" and so on: ``within run`` shows
    them, and they survive ``kill -9``. What a deleted profiler measured stays there until 64 others have been
    deleted after it.

    All times are in seconds. A section that is open counts as a call, with its time up to now.

    Examples
    --------
    >>> import within as wi
    >>> profiler = wi.Profiler()
    >>> for batch in profiler.iterate("batch", range(3)):
    ...     with profiler.section("forward"):
    ...         pass
    >>> [(line.path, line.calls) for line in profiler.stats()]
    [('batch', 3), ('batch (wait)', 4), ('batch > forward', 3)]
    """

    __slots__ = ("__weakref__",)
    __module__ = "within"

    def stats(self):
        """Return what was measured, a record for each path, sorted by path.

        Returns
        -------
        list of SectionStats
            Named tuples with ``path``, ``calls``, ``total``, ``self``, ``mean``, ``std`` (of the population),
            ``min``, ``p50``, ``p99``, ``max``, ``errors``, ``gpu``, ``gpu_delta`` and ``gpu_peak``. Percentiles are
            within 7 %. What needs a call that has ended is NaN where there is none, what needs a GPU None.

        Examples
        --------
        >>> import within as wi
        >>> profiler = wi.Profiler()
        >>> with profiler.section("load"):
        ...     pass
        >>> load, = profiler.stats()
        >>> load.path, load.calls, 0 < load.self == load.total == load.mean == load.min == load.max
        ('load', 1, True)
        """
        return [SectionStats(*line) for line in sorted(self._lines(), key=lambda line: line[0])]

    def report(self, columns=(), stream=None, title=TITLE):
        """Print a line for each path, sorted by path.

        ``str(profiler)`` is the same text.

        Parameters
        ----------
        columns : "all", or names of columns in one string or several, optional
            What to show beside calls, total, mean and std: self, min, p50, p99, max, errors, gpu, gpu_delta,
            gpu_peak. The last three are in "all" if anything is known of a GPU.
        stream : object with a method ``write``, optional
            Where to print; ``sys.stdout`` by default.
        title : str, optional
            The first line.

        Examples
        --------
        >>> import within as wi
        >>> profiler = wi.Profiler()
        >>> with profiler.section("epoch"):
        ...     with profiler.section("forward"):
        ...         pass
        >>> profiler.report()  # doctest: +SKIP
        Profiling Report
        ==================================================
        epoch                                    calls=   1 total=0.0523s mean=0.0523s std=0.0000s
        epoch > forward                          calls=   1 total=0.0210s mean=0.0210s std=0.0000s
        """
        from ._report_text import text

        print(text(self.stats(), columns, title), file=stream)

    def to_dict(self):
        """Return ``{path: {"calls": …, "total": …, …}}``, ready for JSON: None where there is no figure yet.

        Those of the GPU are there if anything is known of one.
        """
        return to_dict(self.stats())

    def to_pandas(self):
        """Return a ``pandas.DataFrame`` with a row for each path and the columns of `stats`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return to_pandas(self.stats())

    def __str__(self):
        from ._report_text import text

        return text(self.stats(), title=TITLE)

    def _repr_html_(self):
        from ._report_html import table

        return table(self.stats(), TITLE)
