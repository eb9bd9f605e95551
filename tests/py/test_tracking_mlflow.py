"""within.tracking beside MLflow itself: it takes the same arguments, and a script finds what it found there."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long  # as all that needs MLflow itself

SIGNATURES = """
import inspect, json
import mlflow
import within.tracking as ours

def parameters(function):
    return [(each.name, each.kind.name, repr(each.default)) for each in inspect.signature(function).parameters.values()]

functions = [name for name in ours.__all__ if name != "ActiveRun"]
print(json.dumps([[name, parameters(getattr(ours, name)), parameters(getattr(mlflow, name))] for name in functions]))
"""

# What is told of times and ids cannot be the same.
SCRIPT = """
import importlib, json, os, sys, urllib.parse
import matplotlib.figure, numpy
mlflow = importlib.import_module(sys.argv[1])

mlflow.set_tracking_uri(f"sqlite:///{sys.argv[1]}.db")
mlflow.set_experiment("digits")
with open("model.bin", "w") as file:
    file.write("model")
told = []
for rate in 0.1, 0.01:
    with mlflow.start_run(run_name=f"rate {rate}", tags={"team": "physics"}, description="a try") as run:
        told.append(mlflow.log_param("rate", rate))
        mlflow.log_params({"layers": [3, 4], "name": None})
        for epoch in range(3):
            mlflow.log_metrics({"loss": rate / (1 + epoch), "epoch": epoch}, step=epoch)
        mlflow.log_metric("loss", -rate, step=3, timestamp=1_500_000_000_000)
        mlflow.set_tag("count", 3)
        mlflow.log_artifact("model.bin", "models")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        mlflow.log_text("text", "notes/a.txt")
        mlflow.log_metrics({"half": numpy.float32(0.5), "three": numpy.array(3)})
        figure = matplotlib.figure.Figure()
        figure.subplots().plot([1, 2])
        mlflow.log_figure(figure, "plots/loss.png", save_kwargs={"dpi": 20})
        folder = urllib.parse.urlparse(mlflow.get_artifact_uri()).path
        told.append(sorted(name for _, _, names in os.walk(folder) for name in names))
        told.append(mlflow.active_run().info.run_name)
        told.append(mlflow.get_artifact_uri("models").rsplit("/", 1)[1])
        if rate < 0.1:
            with mlflow.start_run(run_name="inner", nested=True) as inner:
                mlflow.log_metric("x", 1e300)
            told.append(mlflow.get_parent_run(inner.info.run_id).info.run_name)
    mlflow.last_active_run()
try:
    with mlflow.start_run(run_name="broken"):
        raise ArithmeticError
except ArithmeticError:
    pass
for ending in "FAILED", "KILLED":
    mlflow.start_run(run_name=ending)
    mlflow.end_run(ending)

def seen(run):
    known = {"mlflow.parentRunId": "a parent"}
    tags = {key: known.get(key, value) for key, value in run.data.tags.items() if key != "experiment"}
    for key in "mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit":
        tags.pop(key, None)
    data = {"params": run.data.params, "metrics": run.data.metrics, "tags": tags}
    return {"name": run.info.run_name, "status": run.info.status, "stage": run.info.lifecycle_stage, **data}

def search(**query):
    return [seen(run) for run in mlflow.search_runs(output_format="list", **query)]

told.append(search())
told.append(search(experiment_names=["digits"], max_results=2))
finished = "params.rate = '0.01' and status = 'FINISHED'"
for text in "metrics.loss < -0.05", finished, "tags.count != '3'", "run_name LIKE 'rate%'":
    told.append(search(filter_string=text, order_by=["metrics.loss ASC"]))
table = mlflow.search_runs()
columns = sorted(name for name in table.columns if not name.startswith("tags."))
told.append([columns, str(table["start_time"].dtype), table["metrics.three"].max(), list(table["params.rate"].dropna())])
for wrong in [
    lambda: mlflow.log_metric("x", "high"),
    lambda: mlflow.end_run("OVER"),
    lambda: mlflow.log_params({"p": 1}) or mlflow.log_param("p", 2),
    lambda: mlflow.start_run(),
    lambda: mlflow.get_run("0" * 32),
]:
    try:
        wrong()
    except Exception:
        told.append("raised")
    else:
        told.append("nothing raised")
mlflow.end_run()
print(json.dumps(told, sort_keys=True))
"""


@pytest.fixture(scope="module")
def run(build, tmp_path_factory):
    """A function that runs a script that may import MLflow and this package, and gives what it prints."""
    if not (build / "mlflow/mlflow").is_dir():
        pytest.skip("MLflow is not there: tools/setup.sh mlflow fetches it")
    paths = os.pathsep.join(map(str, (build / "site", build / "mlflow")))
    environment = {**os.environ, "PYTHONPATH": paths, "MLFLOW_DISABLE_TELEMETRY": "true"}
    folder = tmp_path_factory.mktemp("tracking")
    if subprocess.run([sys.executable, "-c", "import within._runs"], env=environment, capture_output=True).returncode:
        pytest.skip(f"{sys.executable} has no module for runs in {build}/site")

    def run(script, *arguments):
        command = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_functions_take_the_arguments_that_mlflow_s_take(run):
    found = run(SIGNATURES)
    assert len(found) > 25
    for name, ours, theirs in found:
        assert ours == theirs, name


def test_a_script_that_changes_its_import_finds_the_same_again(run):
    ours, theirs = run(SCRIPT, "within.tracking"), run(SCRIPT, "mlflow")
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other
