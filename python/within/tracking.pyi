# MLflow's functions on a database of runs, and their types.
from collections.abc import Mapping
from os import PathLike
from types import TracebackType
from typing import Any, Literal, SupportsFloat, SupportsIndex, overload, type_check_only

import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]
from typing_extensions import Self

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

_Number = SupportsFloat | SupportsIndex

@type_check_only
class _Info:
    run_id: str
    run_uuid: str
    run_name: str
    experiment_id: str
    status: Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
    start_time: int
    end_time: int | None
    artifact_uri: str
    lifecycle_stage: str

@type_check_only
class _Data:
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]

@type_check_only
class _Run:
    @property
    def info(self) -> _Info: ...
    @property
    def data(self) -> _Data: ...

@type_check_only
class _Experiment:
    name: str
    experiment_id: str
    lifecycle_stage: str
    tags: dict[str, str]

class ActiveRun(_Run):
    def __init__(self, run: Any) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

def set_tracking_uri(uri: str | PathLike[str]) -> None: ...
def get_tracking_uri() -> str: ...
def is_tracking_uri_set() -> bool: ...
def set_experiment(
    experiment_name: str | None = None, experiment_id: str | None = None, trace_location: None = None
) -> _Experiment: ...
def create_experiment(
    name: str, artifact_location: None = None, tags: None = None, trace_location: None = None
) -> str: ...
def get_experiment_by_name(name: str) -> _Experiment | None: ...
def get_experiment(experiment_id: str) -> _Experiment: ...
def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    log_system_metrics: Literal[False] | None = None,
) -> ActiveRun: ...
def end_run(status: str = "FINISHED") -> None: ...
def active_run() -> ActiveRun | None: ...
def last_active_run() -> _Run | None: ...
def get_run(run_id: str) -> _Run: ...
def get_parent_run(run_id: str) -> _Run | None: ...
@overload
def search_runs(
    experiment_ids: list[str] | None = None,
    filter_string: str = "",
    run_view_type: int = 1,
    max_results: int = 100000,
    order_by: list[str] | None = None,
    output_format: Literal["pandas"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> pandas.DataFrame: ...
@overload
def search_runs(
    experiment_ids: list[str] | None = None,
    filter_string: str = "",
    run_view_type: int = 1,
    max_results: int = 100000,
    order_by: list[str] | None = None,
    *,
    output_format: Literal["list"],
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> list[_Run]: ...
def log_metric(
    key: str,
    value: _Number,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: None = None,
    dataset: None = None,
) -> None: ...
def log_metrics(
    metrics: Mapping[str, _Number],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: None = None,
    dataset: None = None,
) -> None: ...
def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any: ...
def log_params(params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None) -> None: ...
def set_tag(key: str, value: object, synchronous: bool | None = None) -> None: ...
def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> None: ...
def flush_async_logging() -> None: ...
def flush_artifact_async_logging() -> None: ...
def log_artifact(local_path: str | PathLike[str], artifact_path: str | None = None, run_id: str | None = None) -> None: ...
def log_artifacts(local_dir: str | PathLike[str], artifact_path: str | None = None, run_id: str | None = None) -> None: ...
def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None: ...
def log_dict(dictionary: Mapping[str, object], artifact_file: str, run_id: str | None = None) -> None: ...
def log_figure(figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None) -> None: ...
def get_artifact_uri(artifact_path: str | None = None) -> str: ...
