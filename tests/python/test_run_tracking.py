"""within.tracking: a script for MLflow runs on a local database, and reads back what it logged."""

import importlib.util
import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import within as wi

if not importlib.util.find_spec("within._runs"):
    pytest.skip("there is no SQLite", allow_module_level=True)

import within.tracking as mlflow


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch):
    """Where the runs of each test go; none is left open."""
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    mlflow.set_experiment("lorenz")
    yield tmp_path / "runs.db"
    while mlflow.active_run():
        mlflow.end_run()


def test_a_script_of_mlflow_s_own_documentation(tmp_path):
    with mlflow.start_run(run_name="first", tags={"team": "physics"}, description="a try") as run:
        assert mlflow.log_param("rate", 0.5) == 0.5
        mlflow.log_params({"layers": 3, "name": "mlp"})
        mlflow.log_metric("loss", 0.25)
        mlflow.log_metric("loss", 0.25)
        for epoch in range(3):
            mlflow.log_metrics({"acc": 0.5 + 0.1 * epoch, "loss": 0.2}, step=epoch)
        mlflow.set_tag("phase", "train")
        mlflow.set_tags({"a": 1})
        assert run.info.status == "RUNNING" and mlflow.active_run() is run
    assert mlflow.active_run() is None and mlflow.last_active_run().info.run_id == run.info.run_id
    found = mlflow.get_run(run.info.run_id)
    assert found.info.status == run.info.status == "FINISHED" and found.info.run_name == "first"
    assert found.info.start_time <= found.info.end_time and found.info.experiment_id == "lorenz"
    assert found.data.params == {"rate": "0.5", "layers": "3", "name": "mlp"}
    assert found.data.metrics == run.data.metrics == {"loss": 0.2, "acc": 0.7}
    tags = {"team": "physics", "phase": "train", "a": "1", "experiment": "lorenz"}
    assert found.data.tags == {**tags, "mlflow.note.content": "a try", "mlflow.runName": "first"}
    assert list(wi.runs(tmp_path / "runs.db")[0].series("loss").steps) == [0, 0, 0, 1, 2]


def test_artifacts(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/model.bin").write_bytes(b"1")
    with mlflow.start_run() as run:
        mlflow.log_artifact("out/model.bin")
        mlflow.log_artifact(tmp_path / "out/model.bin", "models")
        mlflow.log_artifact("out/", "folders")
        mlflow.log_artifacts("out", artifact_path="all/")
        mlflow.log_text("text", "notes/a.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        figure = SimpleNamespace(savefig=lambda path, **options: Path(path).write_text(str(options)))
        mlflow.log_figure(figure, "plots/a.png", save_kwargs={"dpi": 3})
        assert mlflow.get_artifact_uri("notes") == f"{run.info.artifact_uri}/notes"
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    copies = {"model.bin", "models/model.bin", "folders/out/model.bin", "all/model.bin"}
    assert names == copies | {"notes/a.txt", "config.json", "plots/a.png"}
    assert json.loads((folder / "config.json").read_text()) == {"a": [1, 2]}
    assert (folder / "plots/a.png").read_text() == "{'dpi': 3}"


def test_runs_nest_only_when_told_to():
    with mlflow.start_run(run_name="outer") as outer:
        with pytest.raises(Exception, match=f"Run with UUID {outer.info.run_id} is already active"):
            mlflow.start_run()
        with mlflow.start_run(run_name="inner", nested=True, parent_run_id=outer.info.run_id) as inner:
            mlflow.log_metric("x", 1)
            mlflow.log_metric("x", 2, run_id=outer.info.run_id)
        assert mlflow.active_run() is outer
    assert inner.data.metrics == {"x": 1} and outer.data.metrics == {"x": 2}
    assert mlflow.get_parent_run(inner.info.run_id).info.run_id == outer.info.run_id
    assert mlflow.get_parent_run(outer.info.run_id) is None
    assert inner.data.tags["mlflow.parentRunId"] == outer.info.run_id


@pytest.mark.parametrize("status, is_kept", [("FINISHED", "FINISHED"), ("FAILED", "FAILED"), ("KILLED", "INTERRUPTED")])
def test_a_run_ends_as_end_run_says(database, status, is_kept):
    run = mlflow.start_run()
    mlflow.end_run(status)
    mlflow.end_run()
    assert run.info.status == status and wi.runs(database)[0].status == is_kept
    with pytest.raises(ValueError, match="status must be"):
        mlflow.end_run("OVER")


def test_an_error_fails_the_run(database):
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        1 / 0
    assert run.info.status == "FAILED" and "division by zero" in wi.runs(database)[0].error
    with mlflow.start_run() as run:
        mlflow.end_run()
    assert run.info.status == "FINISHED"


def test_logging_starts_a_run_which_the_program_s_end_finishes(python, database):
    python("import within.tracking as mlflow; mlflow.log_metric('x', 1); mlflow.log_param('a', 2)")
    (run,) = wi.runs(database)
    assert (run.status, run.metrics, run.params, run.name) == ("FINISHED", {"x": 1}, {"a": "2"}, "Default")


def test_a_run_goes_on():
    with mlflow.start_run(run_name="long") as run:
        mlflow.log_metric("x", 1)
    with mlflow.start_run(run_id=run.info.run_id) as again:
        assert again.info.run_id == run.info.run_id
        mlflow.log_metric("x", 2, step=1)
    assert again.data.metrics == {"x": 2} and again.info.run_name == "long" and len(mlflow.search_runs(output_format="list")) == 1


def test_a_thread_logs_into_a_run_of_another_by_its_id():
    def work():
        mlflow.log_metric("x", 1, run_id=run.info.run_id)
        mlflow.log_params({"a": 2}, run_id=run.info.run_id)
        assert mlflow.active_run() is None

    with mlflow.start_run() as run:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert run.data.metrics == {"x": 1} and run.data.params == {"a": "2"}


def test_a_run_that_another_thread_has_ended_is_not_active():
    run = mlflow.start_run()
    thread = threading.Thread(target=run.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    assert mlflow.active_run() is None and run.info.status == "FINISHED"
    with mlflow.start_run():
        pass


def test_a_run_s_parent_may_be_over():
    with mlflow.start_run() as parent:
        pass
    with mlflow.start_run(parent_run_id=parent.info.run_id) as child:
        pass
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    with pytest.raises(LookupError, match="there is no run abc"):
        mlflow.start_run(parent_run_id="abc")
    assert mlflow.active_run() is None


def test_times_may_be_the_caller_s_own(database):
    with mlflow.start_run():
        mlflow.log_metric("x", 1, timestamp=1_500_000_000_123)
        mlflow.log_metrics({"x": 2}, step=1, timestamp=0)
        mlflow.flush_async_logging()
        with pytest.raises(TypeError):
            mlflow.log_metric("x", 3, timestamp=0.5)
    series = wi.runs(database)[0].series("x")
    assert list(series.times) == [1_500_000_000.123, 0] and list(series.values) == [1, 2]


def test_a_run_knows_its_database_when_the_program_goes_elsewhere(tmp_path, monkeypatch):
    mlflow.set_tracking_uri("runs.db")
    with mlflow.start_run() as run:
        monkeypatch.chdir("/")
        assert run.info.status == "RUNNING" and str(tmp_path) in mlflow.get_artifact_uri()
    assert run.info.status == "FINISHED"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_no_active_run():
    with mlflow.start_run():
        pid = os.fork()
        if pid == 0:
            os._exit(mlflow.active_run() is not None)
        assert os.waitpid(pid, 0)[1] == 0


def test_a_thread_has_runs_of_its_own(database):
    def work():
        assert mlflow.active_run() is None
        with mlflow.start_run(run_name="thread"):
            mlflow.log_metric("x", 3)

    with mlflow.start_run(run_name="main"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        mlflow.log_metric("x", 4)
    assert {run.name: run.metrics["x"] for run in wi.runs(database)} == {"thread": 3, "main": 4}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A database of runs in two experiments."""
    path = tmp_path_factory.mktemp("swept") / "runs.db"
    mlflow.set_tracking_uri(path)
    mlflow.set_experiment("lorenz")
    for rate in 0.1, 0.5, 0.9:
        with mlflow.start_run(run_name=f"rate {rate}"):
            mlflow.log_param("rate", rate)
            if rate < 0.9:
                mlflow.log_metric("loss/test", abs(rate - 0.4))
    with mlflow.start_run(experiment_id="other", tags={"kind": "odd"}):
        pass
    return path


@pytest.fixture
def sweep(database, swept):
    mlflow.set_tracking_uri(swept)


def names(**query):
    return [run.info.run_name for run in mlflow.search_runs(output_format="list", **query)]


def test_runs_are_searched(sweep):
    assert names() == ["rate 0.9", "rate 0.5", "rate 0.1"]
    assert names(search_all_experiments=True)[0] == "other" == names(experiment_ids=["other"])[0]
    assert names(experiment_names=["other"], filter_string="tags.kind = 'odd'") == ["other"]
    assert names(filter_string="metrics.`loss/test` < 0.2") == ["rate 0.5"]
    assert names(filter_string="params.rate = '0.9' and attributes.status = 'FINISHED'") == ["rate 0.9"]
    assert names(filter_string="run_name LIKE 'rate 0.%' AND metrics.loss/test >= 0.2") == ["rate 0.1"]
    assert names(filter_string="status != 'FINISHED'") == []
    assert names(order_by=["metrics.loss/test ASC"]) == ["rate 0.5", "rate 0.1", "rate 0.9"]
    assert names(order_by=["params.rate DESC"], max_results=2) == ["rate 0.9", "rate 0.5"]
    assert names(filter_string="start_time > 1.5e12 and metrics.`loss/test` < inf") == ["rate 0.5", "rate 0.1"]
    for text in "loss > 1", "params.rate = 0.5", "metrics.x = '1'", "tags.kind = odd", "start_time LIKE 3":
        with pytest.raises(ValueError, match="search_runs"):
            names(filter_string=text)
    for query in {"filter_string": "rate > 0.5 or 1"}, {"order_by": ["by chance, maybe"]}, {"run_view_type": 2}:
        with pytest.raises(NotImplementedError):
            names(**query)


def test_a_table_is_pandas(sweep):
    pytest.importorskip("pandas")
    table = mlflow.search_runs()
    assert len(table) == 3 and table["params.rate"][0] == "0.9" and "metrics.loss/test" in table


def test_experiments(sweep):
    assert mlflow.get_experiment_by_name("other").experiment_id == "other"
    assert mlflow.get_experiment("other").name == "other"
    with pytest.raises(LookupError, match="no run is of the experiment 'none'"):
        mlflow.get_experiment("none")
    assert mlflow.get_experiment_by_name("none") is None and mlflow.create_experiment("new") == "new"
    assert mlflow.set_experiment("new").name == "new" and mlflow.search_runs(output_format="list") == []
    (run,) = mlflow.search_runs(experiment_ids=["other"], output_format="list")
    assert run.info.experiment_id == run.info.run_name == "other"


def test_where_the_runs_are(tmp_path, monkeypatch):
    assert mlflow.get_tracking_uri() == f"sqlite:///{tmp_path}/runs.db" and mlflow.is_tracking_uri_set()
    mlflow.set_tracking_uri("other.db")
    with mlflow.start_run():
        pass
    assert len(wi.runs(tmp_path / "other.db")) == 1 and mlflow.get_tracking_uri() == f"sqlite:///{tmp_path}/other.db"
    for uri in "http://localhost:5000", "postgresql://x/y", "databricks":
        with pytest.raises(NotImplementedError, match="local SQLite file"):
            mlflow.set_tracking_uri(uri)
    with pytest.raises(LookupError, match="there is no run abc"):
        mlflow.get_run("abc")


def test_what_is_not_there_says_so():
    for name, instead in ("autolog", "log_metrics"), ("delete_tag", "set_tag"), ("sklearn", "within push"):
        with pytest.raises(AttributeError, match=f"within.tracking has no '{name}': .*{instead}"):
            getattr(mlflow, name)
    with mlflow.start_run():
        for call in [
            lambda: mlflow.log_metric("x", 1, model_id="m"),
            lambda: mlflow.set_experiment("lorenz", trace_location=1),
            lambda: mlflow.log_metric("x", 1, run_id="abc"),
            lambda: mlflow.start_run(nested=True, log_system_metrics=True),
        ]:
            with pytest.raises(NotImplementedError, match="tracking"):
                call()
    assert all(hasattr(mlflow, name) for name in mlflow.__all__)
