# Every public name of the package, and its types.
import builtins
import sqlite3
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from io import BufferedRandom, BufferedWriter, TextIOWrapper
from os import PathLike
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Any, Generic, Literal, NamedTuple, Protocol, SupportsFloat, SupportsIndex, TypeVar, final, overload, type_check_only

import h5py  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]
from typing_extensions import Self


_Function = TypeVar("_Function", bound=Callable[..., Any])
_Item = TypeVar("_Item")
_Connection = TypeVar("_Connection", bound=sqlite3.Connection)
_Column = Literal[
    "calls", "total", "mean", "std", "self", "min", "p50", "p99", "max", "errors", "gpu", "gpu_delta", "gpu_peak"
]
_Cell = str | SupportsIndex | SupportsFloat | PathLike[str] | None
_CellType = type[int] | type[float] | type[str] | type[bool]


@type_check_only
class _Stream(Protocol):
    def write(self, text: str, /) -> object: ...

@type_check_only
class _Device(Protocol):  # torch.device
    @property
    def type(self) -> str: ...
    @property
    def index(self) -> int | None: ...

@type_check_only
class _Descriptor(Protocol):
    def fileno(self) -> int: ...
    def flush(self) -> object: ...

__version__: str

class DataError(ValueError): ...

class section:
    def __new__(cls, name: str, *, gpu: bool = False) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def elapsed(self) -> float: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function, /) -> _Function: ...

_Section = section  # inside of Profiler the name means its method

class Timer:
    def __init__(self, label: str = "Elapsed", quiet: bool = False, stream: _Stream | None = None) -> None: ...
    @property
    def label(self) -> str: ...
    @property
    def quiet(self) -> bool: ...
    @property
    def stream(self) -> _Stream | None: ...
    @property
    def elapsed(self) -> float: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function, /) -> _Function: ...

class track_memory:
    label: str
    quiet: bool
    stream: _Stream | None
    before: int | None
    current: int | None
    delta: int | None
    peak: int | None
    peak_is_exact: bool
    blocks: int | None
    tracked: int | None
    def __init__(self, label: str = "", *, quiet: bool = False, stream: _Stream | None = None) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class Leak(NamedTuple):
    section: str
    what: str
    text: str
    is_suspicion: bool
    is_withdrawn: bool
    per_call: float
    since_call: int
    seconds_left: float | None
    explanation: tuple[str, ...]

class watch:
    sections: tuple[str, ...]
    explain: bool
    quiet: bool
    def __init__(self, *sections: str, explain: bool = False, quiet: bool = False) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    @property
    def leaks(self) -> list[Leak]: ...

class SectionStats(NamedTuple):
    path: str
    calls: int
    total: float
    self: float
    mean: float
    std: float
    min: float
    p50: float
    p99: float
    max: float
    errors: int
    gpu: float | None = ...
    gpu_delta: int | None = ...
    gpu_peak: int | None = ...

class Profiler:
    def section(self, name: str, *, gpu: bool = False) -> _Section: ...
    @overload
    def iterate(self, name: str, iterable: Iterable[_Item]) -> Iterator[_Item]: ...
    @overload
    def iterate(self, name: str, iterable: AsyncIterable[_Item]) -> AsyncIterator[_Item]: ...
    def stats(self) -> list[SectionStats]: ...
    def report(
        self,
        columns: Literal["all"] | str | Iterable[_Column] = (),
        stream: _Stream | None = None,
        title: str = "Profiling Report",
    ) -> None: ...
    def to_dict(self) -> dict[str, dict[str, int | float | None]]: ...
    def to_pandas(self) -> pandas.DataFrame: ...
    def reset(self) -> None: ...
    def _repr_html_(self) -> str: ...

class Checkpoint(NamedTuple):
    path: Path
    sequence: int
    step: int
    time: float
    metrics: dict[str, float]

class checkpoints:
    folder: str | PathLike[str]
    passed_over: list[tuple[str, str]]
    def __init__(
        self,
        folder: str | PathLike[str],
        keep: int | None = 3,
        *,
        best: str | tuple[str, Literal["min", "max"]] | None = None,
        suffix: str = "",
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def save(
        self,
        *,
        step: SupportsIndex = 0,
        suffix: str | None = None,
        metrics: Mapping[str, SupportsFloat] | None = None,
        **more_metrics: SupportsFloat,
    ) -> AbstractContextManager[Path, None]: ...
    def latest(self) -> Checkpoint | None: ...
    def best(self, metric: str | None = None, mode: Literal["min", "max"] | None = None) -> Checkpoint | None: ...
    def list(self) -> builtins.list[Checkpoint]: ...

_Kind = Literal["invalid", "divide", "overflow", "underflow", "inexact"]

class fp_guard:
    def __new__(cls, *kinds: _Kind, trap: bool = False) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class rounding:
    def __new__(cls, mode: Literal["nearest", "upward", "downward", "towardzero"]) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class flush_denormals:
    def __new__(cls, on: bool) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class tempdir:
    def __new__(
        cls, prefix: str = "within", parent: str | bytes | PathLike[str] | None = None, keep_on_error: bool = False
    ) -> Self: ...
    @property
    def path(self) -> str | None: ...
    def __enter__(self) -> str: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class Interrupted(KeyboardInterrupt):
    @property
    def signal(self) -> Signals: ...
    @property
    def time(self) -> float: ...
    @property
    def grace_left(self) -> float: ...

class interrupts:
    def __init__(self, *signals: str | int, grace: float | None = None) -> None: ...
    @property
    def signal(self) -> Signals | None: ...
    @property
    def grace_left(self) -> float: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

class uninterrupted:
    def __enter__(self) -> None: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
class redirect_output:
    def __init__(
        self,
        target: _Path | int | _Descriptor | None = None,
        *,
        stdout: bool = True,
        stderr: bool = True,
        tee: bool = False,
        append: bool = False,
    ) -> None: ...
    @property
    def bytes(self) -> builtins.bytes: ...
    @property
    def text(self) -> str: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function, /) -> _Function: ...
    def __del__(self) -> None: ...

@final
class csv_log:
    def __new__(
        cls,
        path: str | bytes | PathLike[str] | PathLike[bytes],
        columns: str | Iterable[str | tuple[str, _CellType]] | dict[str, _CellType],
        *,
        fresh: bool = False,
        sync_every: float | None = None,
    ) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> int: ...
    @property
    def cut(self) -> int: ...
    @overload
    def row(self, *values: _Cell) -> None: ...
    @overload
    def row(self, **named_values: _Cell) -> None: ...
    def truncate(self, rows: SupportsIndex, /) -> None: ...
    def sync(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

_Path = str | bytes | PathLike[str] | PathLike[bytes]
_File = TypeVar("_File", covariant=True)
_TextMode = Literal["w", "wt", "tw", "x", "xt", "tx", "w+", "+w", "wt+", "w+t", "x+", "+x", "xt+", "x+t"]
_BinaryMode = Literal["wb", "bw", "xb", "bx"]
_BinaryReadMode = Literal["wb+", "w+b", "+wb", "bw+", "xb+", "x+b", "+xb", "bx+"]

class atomic_file(Generic[_File]):
    @overload
    def __init__(
        self: atomic_file[TextIOWrapper],
        path: _Path,
        mode: _TextMode = "w",
        *,
        size: int | None = None,
        sync: bool = True,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: atomic_file[BufferedWriter], path: _Path, mode: _BinaryMode, *, size: int | None = None, sync: bool = True
    ) -> None: ...
    @overload
    def __init__(
        self: atomic_file[BufferedRandom],
        path: _Path,
        mode: _BinaryReadMode,
        *,
        size: int | None = None,
        sync: bool = True,
    ) -> None: ...
    def __enter__(self) -> _File: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...


class atomic_path:
    def __init__(self, path: _Path, *, sync: bool = True) -> None: ...
    def __enter__(self) -> str: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class track_gpu_memory:
    device: str | int | _Device
    label: str
    quiet: bool
    stream: _Stream | None
    delta: int | None
    current: int | None
    peak: int | None
    source: str | None
    def __init__(
        self,
        device: str | int | _Device = "cuda:0",
        label: str = "",
        *,
        quiet: bool = False,
        stream: _Stream | None = None,
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

class environment:
    def __init__(
        self, variables: Mapping[str, _Path | None] | Mapping[bytes, _Path | None] = {}, /, **more: _Path | None
    ) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function, /) -> _Function: ...

class workdir:
    def __init__(self, path: _Path) -> None: ...
    def __enter__(self) -> str: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function, /) -> _Function: ...

class threads:
    def __init__(self, n: SupportsIndex) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function, /) -> _Function: ...

def h5_file(
    path: _Path, mode: Literal["r", "w", "r+", "a", "stream"] = "r", *, sync: bool = True, **options: Any
) -> AbstractContextManager[h5py.File, None]: ...
def h5_recover(path: _Path, out: _Path, *, sync: bool = True) -> dict[str, tuple[int, ...]]: ...
class temporary_seed:
    def __init__(self, seed: SupportsIndex) -> None: ...
    def __enter__(self) -> numpy.random.Generator | Any: ...  # None where NumPy is not imported
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _Function) -> _Function: ...

def transaction(conn: _Connection, *, timeout: float | None = None) -> AbstractContextManager[_Connection, None]: ...
def get_include() -> str: ...
def get_library_dir() -> str: ...
