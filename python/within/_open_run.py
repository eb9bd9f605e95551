"""Runs that are open: what a block in Python notes in its run, and how its end is the run's outcome."""

import _thread
import atexit
import contextvars
import os
import signal
import sys

from . import _environment_rows
from ._within import tempdir

try:
    from . import _runs
except ImportError as error:
    text = f"runs need the SQLite library (libsqlite3.so.0), and a package that was built with it: {error}"
    raise ImportError(text) from error

_innermost = contextvars.ContextVar("within.run", default=None)
_open = []  # oldest first


def _forget():
    """A forked child has none of its parent's; another thread may have held their locks."""
    for run in _open:
        run._lock = _thread.RLock()
    _open.clear()


def _end_what_is_open():
    while _open:
        _open[-1]._finish("FAILED", error="left before its end: the program has ended")


os.register_at_fork(after_in_child=_forget)
atexit.register(_end_what_is_open)


def _innermost_here():
    run = _innermost.get()
    while run is not None and run not in _open:  # blocks of tasks may end in any order
        run = run._outer
    return run


def innermost():
    """What `within.active_run` returns."""
    return _innermost_here() or (_open[-1] if _open else None)


class Run(_runs.Run):
    """What `within.run` returns."""

    __slots__ = ("__weakref__", "_arguments", "_known", "_lock", "_outer", "_status")
    __module__ = "within"

    def __new__(cls, name, database=None, params=None, tags=None, resume=None):
        self = super().__new__(cls, name, database, resume)
        self._arguments = name, database, params, tags, resume
        self._lock = _thread.RLock()  # of what takes long, and lets other threads run: artifacts, and the end
        self._known = {}  # rows of the environment that are noted
        self._outer = self._status = None
        return self

    def __init__(self, *arguments, **options):
        pass

    def __repr__(self):
        return f"<within.run {self.name!r} {self.id or 'not begun'}>"

    def __call__(self, function):
        """Return `function`, each call of which is a run of its own."""
        from ._decorators import decorated

        return decorated(function, lambda: type(self)(*self._arguments), f"run({self.name!r})")

    # ---- the block ----

    @property
    def status(self):
        """None before the block, "RUNNING" in it, then "FINISHED", "FAILED" or "INTERRUPTED"."""
        return "RUNNING" if self._is_open else self._status

    def __enter__(self):
        self._outer = _innermost_here()
        self._begin(self._outer and self._outer.id)
        _open.append(self)
        _innermost.set(self)
        _, database, params, tags, resume = self._arguments
        try:
            if resume is not None:
                self._go_on(_next_step(path_of(database), self.id))
            self._note_environment()
            self.log_params(params or {})
            self.set_tags(tags or {})
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, kind, error, traceback):
        status, number = _outcome(kind, error)
        self._finish(status, number, error and _text_of(error))

    def _finish(self, status, number=-1, error=None):
        with self._lock:
            if _innermost.get() is self:
                _innermost.set(self._outer)
            if self not in _open:  # a forked child leaves it alone, and one that is over says so
                self._end(None, None, -1)
                return
            _open.remove(self)
            try:
                self._note_environment()
            except OSError:
                pass  # a full disk: that the run ends is what counts
            self._end(status, error, number)
            self._status = status

    def _note_environment(self):
        for key, value in _environment_rows.rows():
            if self._known.get(key) != value:
                self._environment(key, value)
                self._known[key] = value

    # ---- what is logged ----

    def log_metric(self, name, value, step=None):
        """Log a point of the metric with that name, which may be any text; otherwise as `log`."""
        self._log_named(step, (name,), (value,))

    def log_metrics(self, metrics, step=None):
        """Log a point of each metric of a mapping; otherwise as `log`."""
        self._log_named(step, tuple(metrics), tuple(metrics.values()))

    def log_param(self, name, value):
        """Note a parameter, ``str()`` of the value: ValueError if it has another value already."""
        self._param(name, str(value))

    def log_params(self, params):
        """Note each parameter of a mapping."""
        for name, value in params.items():
            self._param(name, str(value))

    def set_tag(self, name, value):
        """Note a tag, ``str()`` of the value, in place of the one that it had."""
        self._tag(name, str(value))

    def set_tags(self, tags):
        """Note each tag of a mapping."""
        for name, value in tags.items():
            self._tag(name, str(value))

    # ---- artifacts ----

    def log_artifact(self, path, name=None):
        """Keep a copy of a file, or of all files in a folder, as it is now.

        Parameters
        ----------
        path : path
        name : str, optional
            Under which it is kept, with "/" for folders; by default its own. An older one is replaced.
        """
        path = os.fspath(path)
        if not os.path.isdir(path):
            with self._lock:
                self._artifact(name, path)
            return
        name = os.path.basename(os.path.abspath(os.fsdecode(path))) if name is None else name
        for folder, _, files in os.walk(os.fsdecode(path)):
            for file in files:
                inside = os.path.relpath(os.path.join(folder, file), os.fsdecode(path))
                with self._lock:
                    self._artifact(os.path.normpath(os.path.join(name, inside)), os.path.join(folder, file))

    def log_text(self, text, name):
        """Keep a file with that text, in UTF-8."""
        with self._lock:
            self._text(name, text)

    def log_figure(self, figure, name, **options):
        """Keep a figure of Matplotlib or Plotly as a file, whose kind the name's end tells.

        Options are those of ``savefig``, or of ``write_html`` and, for other files than HTML, ``write_image``.
        """
        with tempdir("figure") as folder:
            path = os.path.join(folder, os.path.basename(name))
            _save_figure(figure, path, options)
            self.log_artifact(path, name)


def path_of(database):
    """The database that is meant, by its default too."""
    return os.fspath(database or os.environ.get("WITHIN_DATABASE") or "runs.db")


def _next_step(path, id):
    """Of a run that goes on: behind the last ones of its series."""
    query = "SELECT max(last_step) + 1 FROM series JOIN run ON run.id = run WHERE uuid = ?"
    [(step,)] = _runs.Database(path).rows(query, (id,))
    return step or 0


def _save_figure(figure, path, options):
    if hasattr(figure, "savefig"):
        figure.savefig(path, **options)
    elif hasattr(figure, "write_html") and path.endswith((".html", ".htm")):
        figure.write_html(path, **options)
    elif hasattr(figure, "write_image"):
        figure.write_image(path, **options)
    else:
        raise TypeError(f"log_figure(): a figure of Matplotlib or Plotly is wanted, not {type(figure).__name__}")


# ---- outcomes ----


def _outcome(kind, error):
    """The status, and a signal's number or the exit status; -1 where that is not known."""
    if kind is None:
        return "FINISHED", -1
    if issubclass(kind, KeyboardInterrupt):
        return "INTERRUPTED", int(getattr(error, "signal", None) or signal.SIGINT)
    if issubclass(kind, SystemExit):
        code = getattr(error, "code", None)
        status = code if isinstance(code, int) else 0 if code is None else 1
        return ("FAILED" if status else "FINISHED"), status
    return "FAILED", -1


def _text_of(error):
    """The message, then the traceback."""
    traceback = sys.modules.get("traceback") or __import__("traceback")
    kind = type(error)
    message = "".join(traceback.format_exception_only(kind, error)).rstrip("\n")
    lines = traceback.format_exception(kind, error, error.__traceback__)
    return f"{message}\n\n{''.join(lines)}".replace("\0", "\\0")
