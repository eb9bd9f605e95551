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
    for run in reversed(_open[:]):
        if run._is_open:
            run._finish("FAILED", error="left before its end: the program has ended")


os.register_at_fork(after_in_child=_forget)
atexit.register(_end_what_is_open)


def _is_open(run):
    """In this process: a forked child has forgotten those of its parent, which to the core are open."""
    return run in _open and run._is_open


def _innermost_here():
    run = _innermost.get()
    while run is not None and not _is_open(run):  # blocks of tasks may end in any order
        run = run._outer
    return run


def open_run(id):
    """The open run of this process that has that id, or None."""
    return next((run for run in _open[:] if run.id == id and run._is_open), None)


def innermost():
    """What `within.active_run` returns."""
    return _innermost_here() or next(filter(_is_open, reversed(_open[:])), None)


class Run(_runs.Run):
    """What `within.run` returns."""

    __slots__ = ("__weakref__", "_arguments", "_known", "_lock", "_outer")
    __module__ = "within"

    def __new__(cls, name, database=None, params=None, tags=None, resume=None, timeout=None):
        self = super().__new__(cls, name, database, resume, _busy_timeout(timeout))
        self._arguments = name, database, params, tags, resume, timeout
        self._lock = _thread.RLock()  # of what takes long, and lets other threads run: artifacts, and the end
        self._known = {}  # rows of the environment that are noted
        self._outer = None
        return self

    def __init__(self, *arguments, **options):
        pass

    def __repr__(self):
        return f"<within.run {self.name!r} {self.id or 'not begun'}>"

    def __reduce__(self):
        raise TypeError(
            f"run {self.name!r} cannot be pickled: it is of its process; another process logs into a run of its own, "
            "or sends what is to be logged back"
        )

    def __call__(self, function):
        """Return `function`, each call of which is a run of its own."""
        from ._decorators import decorated

        return decorated(function, lambda: type(self)(*self._arguments), f"run({self.name!r})")

    # ---- the block ----

    def __enter__(self):
        self._enter(None)
        return self

    def _enter(self, parent):
        """Begin it, as a child of the run of that id, or of the innermost one here."""
        self._outer = _innermost_here()
        self._begin(parent or (self._outer and self._outer.id))
        try:
            _open.append(self)
            _innermost.set(self)
            _, database, params, tags, resume, _ = self._arguments
            if resume is not None:
                self._go_on(_next_step(path_of(database), self.id))
            self._note_environment()
            self.log_params(params or {})
            self.set_tags(tags or {})
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(self, kind, error, traceback):
        status, number, text = "FAILED", -1, None
        try:
            status, number = _outcome(kind, error)
            if error is not None and status != "FINISHED":
                text = _text_of(error)
        finally:
            self._finish(status, number, text)

    def _finish(self, status, number=-1, error=None):
        """End it, whatever comes meanwhile; a forked child leaves it alone, and one that is over says so."""
        with self._lock:
            try:
                if _is_open(self):
                    self._note_environment()
            except OSError:
                pass  # a full disk: that the run ends is what counts
            finally:
                self._end(status, error, number)
            if self in _open:
                _open.remove(self)
            if _innermost.get() is self:
                _innermost.set(self._outer)

    def _note_environment(self):
        for key, value in _environment_rows.rows():
            if self._known.get(key) != value:
                self._environment(key, value)
                self._known[key] = value

    # ---- what is logged ----

    def log_metric(self, name, value, step=None):
        """Log a point of the metric with that name, which may be any text; otherwise as `log`."""
        self._log_named(step, (name,), (value,), None)

    def log_metrics(self, metrics, step=None):
        """Log a point of each metric of a mapping; otherwise as `log`."""
        self._log_named(step, tuple(metrics), tuple(metrics.values()), None)

    def log_param(self, name, value):
        """Note a parameter, ``str()`` of the value: ValueError if it has another value already."""
        self._param(name, str(value))

    def log_params(self, params):
        """Note each parameter of a mapping."""
        for name, value in _texts(params):
            self._param(name, value)

    def set_tag(self, name, value):
        """Note a tag, ``str()`` of the value, in place of the one that it had."""
        self._tag(name, str(value))

    def set_tags(self, tags):
        """Note each tag of a mapping."""
        for name, value in _texts(tags):
            self._tag(name, value)

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
        for folder, _, files in os.walk(os.fsdecode(path), onerror=_raise):
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
    """The database that is meant, by its default too: its absolute path."""
    return os.path.abspath(database or os.environ.get("WITHIN_DATABASE") or "runs.db")


def _busy_timeout(timeout):
    """As the core takes it: 0 is its default, and a negative one not to wait at all."""
    if timeout is None:
        return 0
    if not timeout >= 0:
        raise ValueError(f"run: a timeout of {timeout} s is no time to wait")
    return timeout or -1


def _texts(mapping):
    """Its names and values as texts; nothing of it is noted if one of the names is none."""
    texts = [(name, str(value)) for name, value in mapping.items()]
    for name, _ in texts:
        if not isinstance(name, str):
            raise TypeError(f"a name must be str, not {type(name).__name__}")
    return texts


def _raise(error):
    raise error


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
    text = f"{message}\n\n{''.join(lines)}".replace("\0", "\\0")
    return text.encode("utf-8", "backslashreplace").decode()
