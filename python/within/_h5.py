"""What h5_file gives, and h5_recover does; imported when they are called, as h5py is."""

import atexit
import errno
import fcntl
import inspect
import os
import re
import shutil
import warnings
import weakref

try:
    import h5py
except ImportError:
    raise ImportError("within.h5_file needs h5py, which is not installed; type: pip install h5py") from None

from . import _h5_disk
from ._atomic_file import atomic_path
from ._within import DataError, Hold


class File:
    """A file of h5py within a block."""

    def __init__(self, path, mode, sync, options):
        if mode not in _KINDS:
            raise ValueError(f"h5_file() mode must be 'r', 'w', 'r+', 'a' or 'stream', not {mode!r}")
        for option in set(options) - _OPTIONS:  # h5py would not mind all of them
            raise TypeError(f"h5_file() got an unexpected option {option!r}")
        self._path = os.fspath(path)
        self._name = os.fsdecode(self._path)
        self._kind = _KINDS[mode](self._path, mode, sync, options)
        self._file = None

    def __enter__(self):
        if self._file is not None:
            raise RuntimeError(f"{self!r} is open already, or was")
        self._process = os.getpid()
        self._file = self._kind.open()
        self._hold = Hold("HDF5 file", self._path, None)
        _open.add(self)
        return self._file

    def __exit__(self, kind, error, traceback):
        if self._file is None:
            raise RuntimeError(f"{self!r} is not open")
        _open.discard(self)
        self._hold = None
        if os.getpid() != self._process:
            self._file.close()  # and nothing is written: see Disk, and forget
            return
        left = _left_open(self._file)
        failure = self._kind.close(self._file, error or kind)
        if failure is not None and kind is None:
            raise _of(self._name, failure) from failure
        if left:
            warnings.warn(f"{self._name}: left open in it, and closed with it: {left}", ResourceWarning, stacklevel=2)

    def __repr__(self):
        return f"<within.h5_file {self._path!r}>"


_open = weakref.WeakSet()


@atexit.register
def _end_all():
    """HDF5 closes what is open when Python is gone already, and with it the Disk that it would close."""
    for manager in list(_open):
        manager.__exit__(SystemExit, SystemExit(), None)


def recover(path, out, sync):
    """Do as h5_recover says."""
    if os.path.exists(out) and os.path.samefile(path, out):
        raise ValueError(f"{os.fsdecode(out)}: is what would be recovered: name another file for the copy")
    found = {}
    with File(path, "r", True, {}) as old, File(out, "w", sync, {}) as new:
        for name in old:
            link = old.get(name, getlink=True)
            if isinstance(link, h5py.HardLink):
                old.copy(name, new)
            else:
                new[name] = link
        for name, value in old.attrs.items():
            new.attrs[name] = value
        new.visititems(lambda name, item: found.update({name: item.shape} if hasattr(item, "shape") else {}))
    return found


def _of(name, error):
    """An error that names the file; of the system if it is behind HDF5's, in whose words alone h5py may have it."""
    said = re.search(r"errno = (\d+)", str(error))
    number = getattr(error, "errno", None) or (int(said[1]) if said else 0)
    return OSError(number, f"{name}: {os.strerror(number)}") if number else type(error)(f"{name}: {error}")


def _left_open(file):
    """What is open in a file, in words; "" for nothing."""
    if not file.id.valid:
        return ""
    kinds = {h5py.h5i.DATASET: "dataset", h5py.h5i.GROUP: "group", h5py.h5i.ATTR: "attribute of"}
    wanted = h5py.h5f.OBJ_DATASET | h5py.h5f.OBJ_GROUP | h5py.h5f.OBJ_ATTR | h5py.h5f.OBJ_LOCAL
    names = set()
    for each in h5py.h5f.get_obj_ids(file.id, wanted):
        names.add(f"{kinds.get(h5py.h5i.get_type(each), 'object')} {(h5py.h5i.get_name(each) or b'').decode()}")
    return ", ".join(sorted(names))


def _busy(name, why):
    return BlockingIOError(errno.EAGAIN, f"{name}: {why}")


def _lock_again():
    """Any close of a file in this process frees its lock."""
    for stream in _streams:
        stream.lock()


def _require_not_streamed(path):
    state, writer = _h5_disk.look(path)
    _lock_again()
    if any(stream.is_at(path) for stream in _streams):
        raise _busy(os.fsdecode(path), "this process is streaming rows to it")
    if writer:
        who = f"process {writer}" if writer > 0 else "a process elsewhere"
        raise _busy(os.fsdecode(path), f"{who} is streaming rows to it")
    return state


def _opened(name, make, *arguments, **options):
    """An h5py.File; what HDF5 makes no sense of is a DataError."""
    try:
        return make(*arguments, **options)
    except BlockingIOError as error:
        raise _busy(name, "another program has locked it, to write to it") from error
    except OSError as error:
        if error.errno:
            raise _of(name, error) from error
        raise DataError(f"{name}: HDF5 cannot open it: {error}") from error


class _Reading:
    def __init__(self, path, mode, sync, options):
        self._path, self._name, self._options = path, os.fsdecode(path), options

    def open(self):
        name = self._name
        try:
            return _opened(name, h5py.File, self._path, "r", **self._options)
        except DataError:
            state, _ = _h5_disk.look(self._path)
            if state == "foreign":
                raise DataError(f"{name}: is no HDF5 file") from None
            if state != "streamed":
                raise
        return _opened(name, h5py.File, self._path, "r", **{**self._options, "swmr": True})

    def close(self, file, error):
        file.close()
        _lock_again()


class _Aside:
    """A file of "w", "r+" and "a", beside the target."""

    def __init__(self, path, mode, sync, options):
        self._path, self._name, self._options = path, os.fsdecode(path), options
        self._copies = mode == "r+" or (mode == "a" and os.path.lexists(path))
        self._target = atomic_path(path, sync=sync)

    def open(self):
        if self._copies:
            self._require_changeable()
        else:
            _require_not_streamed(self._path)
        temporary = self._target.__enter__()
        try:
            return self._open(temporary)
        except BaseException:
            self._target.__exit__(*_DISCARD)
            raise

    def close(self, file, error):
        self._disk.discards = error is not None
        file.close()
        self._disk.close()
        failure = self._disk.failure
        self._target.__exit__(*(_DISCARD if error is not None or failure else _PUBLISH))
        return failure

    def _open(self, temporary):
        if self._copies:
            self._copy(temporary)
        try:
            self._disk = _h5_disk.Disk(temporary, self._path, 0 if self._copies else os.O_CREAT | os.O_EXCL)
        except OSError as error:
            raise _of(self._name, error) from error
        try:
            return _opened(self._name, h5py.File, self._disk, "r+" if self._copies else "w", **self._options)
        except BaseException:
            self._disk.close()
            raise

    def _require_changeable(self):
        name = self._name
        os.stat(self._path)
        state = _require_not_streamed(self._path)
        if state == "foreign":
            raise DataError(f"{name}: is no HDF5 file")
        if state == "streamed":
            raise DataError(
                f"{name}: rows were streamed to it, and its writer died; within.h5_recover makes a copy that can be changed"
            )
        if state == "open":
            raise DataError(f"{name}: another program writes to it, or died before it closed it")

    def _copy(self, temporary):
        with open(self._path, "rb") as source:
            try:
                fcntl.flock(source, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy(self._name, "another program has locked it, to write to it") from None
            except OSError:
                pass  # a file system without locks
            try:
                shutil.copyfile(self._path, temporary)
            except OSError as error:
                raise _of(self._name, error) from error


class _Stream:
    """A file of "stream", that is put into its place when it begins to be streamed."""

    def __init__(self, path, mode, sync, options):
        self._path, self.name, self._options = path, os.fsdecode(path), {**_STREAM_OPTIONS, **options}
        self._target = atomic_path(path, sync=sync)
        self.started = False
        self.failure = None

    def open(self):
        if _require_not_streamed(self._path) == "streamed":
            raise FileExistsError(
                errno.EEXIST,
                f"{self.name}: rows were streamed to it, and its writer died: take them with within.h5_recover, or remove it",
            )
        temporary = self._target.__enter__()
        try:
            file = _opened(self.name, _StreamFile, temporary, "w", **self._options)
        except BaseException:
            self._target.__exit__(*_DISCARD)
            raise
        file._within = self
        self._fd = file.id.get_vfd_handle()
        _streams.add(self)
        return file

    def start(self):
        """Put it into its place; it is in SWMR mode."""
        _require_not_streamed(self._path)
        self._target.__exit__(*_PUBLISH)
        self.started = True
        self.lock()

    def fail(self, error):
        """Write nothing any more."""
        self.failure = self.failure or error
        self.forget()

    def lock(self):
        if self.started and not self.failure:
            _h5_disk.lock_stream(self._fd)

    def is_at(self, path):
        return self.started and os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(self._fd))

    def close(self, file, error):
        wanted = error is None or self.started
        _streams.discard(self)
        if wanted and file.id.valid and not self.failure:
            self._flush(file, error)
        if not wanted or self.failure:
            self.forget()
        file.close()
        if not self.started:
            self._target.__exit__(*(_PUBLISH if wanted and not self.failure else _DISCARD))
        return self.failure

    def _flush(self, file, error):
        """Have all of it written, rows before what says that they are there; a failure is the last that is written."""
        if isinstance(error, (OSError, RuntimeError)):  # it may be h5py's, of a write: another try would mix the two up
            self.failure = error
            return
        try:
            for each in h5py.h5f.get_obj_ids(file.id, h5py.h5f.OBJ_DATASET):
                each.flush()
            file.flush()
        except (OSError, RuntimeError) as failure:
            self.failure = failure

    def forget(self):
        """Give up what HDF5 has in its memory: it cannot be written, or in a forked child is the parent's to write."""
        _h5_disk.redirect(self._fd)


_streams = weakref.WeakSet()
os.register_at_fork(after_in_child=lambda: [stream.forget() for stream in _streams])


class _StreamFile(h5py.File):
    @property
    def swmr_mode(self):
        return super().swmr_mode

    @swmr_mode.setter
    def swmr_mode(self, value):
        h5py.File.swmr_mode.fset(self, value)
        if not self._within.started:
            self._within.start()

    def append(self, dataset, rows):
        """Make a dataset longer by rows, an array of shape (n, …), and flush it."""
        dataset = self[dataset] if isinstance(dataset, str) else dataset
        before = len(dataset)
        try:
            dataset.resize(before + len(rows), axis=0)
            dataset[before:] = rows
            dataset.flush()
        except (OSError, RuntimeError) as error:
            self._within.fail(error)
            raise _of(self._within.name, error) from error


_OPTIONS = set(inspect.signature(h5py.File.__init__).parameters) - {"self", "name", "mode", "driver", "swmr", "kwds"}
# A kill may cut a write where it goes on to another page of the system's memory: no block that is smaller than a page
# lies across two.
_STREAM_OPTIONS = {"libver": ("v110", "v110"), "fs_strategy": "page", "fs_page_size": 4096}
_PUBLISH = None, None, None
_DISCARD = RuntimeError, None, None
_KINDS = {"r": _Reading, "w": _Aside, "r+": _Aside, "a": _Aside, "stream": _Stream}
