"""within push against a real MLflow server on loopback, read back with MLflow's own client."""

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
import run_tables
from run_tables import START_MS, line

# make test has the same on a stand-in, test_push.py, and needs no 0.8 GB of packages for it.
pytestmark = pytest.mark.long

# Prints what a client sees of the runs of each experiment that it is told: a list of {status, params, tags, metrics: {key: [[step, ms, value], …]}}.
READ = """
import json, sys
from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])

def seen(run):
    history = lambda key: client.get_metric_history(run.info.run_id, key)
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "times": [run.info.start_time, run.info.end_time],
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {key: [[m.step, m.timestamp, m.value] for m in history(key)] for key in run.data.metrics},
    }

for name in sys.stdin:
    experiment = client.get_experiment_by_name(name.strip())
    print(json.dumps([seen(run) for run in client.search_runs([experiment.experiment_id])]), flush=True)
"""


def free_port():
    """A port that nobody has at this moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def is_up(url):
    """Does the server answer?"""
    try:
        return urllib.request.urlopen(f"{url}/health", timeout=5).status == 200
    except OSError:
        return False


class Mlflow:
    """A server, and its client in a process of its own."""

    def __init__(self, packages, folder):
        self.environment = {**os.environ, "PYTHONPATH": str(packages), "no_proxy": "127.0.0.1"}
        self.environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
        self.environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", f"{folder}/artifacts"]
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(
            command, env=self.environment, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.log, "text": True}
        self.client = subprocess.Popen([sys.executable, "-c", READ, self.url], env=self.environment, **pipes)

    def wait(self):
        """Until it answers."""
        end = time.monotonic() + 120
        while not is_up(self.url):
            assert self.process.poll() is None and time.monotonic() < end, open(self.log.name).read()
            time.sleep(0.1)

    def close(self):
        """Stop it and its workers."""
        os.killpg(self.process.pid, 9)
        self.process.wait()
        self.client.communicate()
        self.log.close()

    def runs(self, experiment):
        """What its client sees."""
        self.client.stdin.write(experiment + "\n")
        self.client.stdin.flush()
        return json.loads(self.client.stdout.readline())


@pytest.fixture(scope="module")
def mlflow(build, tmp_path_factory):
    """A real server, started once."""
    if not (build / "mlflow/mlflow").is_dir():
        pytest.skip("MLflow is not there: tools/setup.sh mlflow fetches it")
    server = Mlflow(build / "mlflow", tmp_path_factory.mktemp("mlflow"))
    try:
        server.wait()
        yield server
    finally:
        server.close()


@pytest.fixture
def database(tmp_path, monkeypatch):
    """A connection to runs.db in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    db = run_tables.make("runs.db")
    yield db
    db.close()


@pytest.fixture
def program(build):
    """The executable."""
    path = build / "src/cli/within-push"
    if not path.exists():
        pytest.skip("within-push is not built here: it needs libcurl, Jansson and SQLite")
    return path


def points_of(run):
    """A run's points in an order of their own, as JSON has them."""
    return {key: sorted(points) for key, points in run["metrics"].items()}


def expected(metrics):
    """The same of what was logged."""
    return {key: sorted([*point] for point in points) for key, points in metrics.items()}


def test_a_run_is_read_back_with_mlflows_own_client(database, mlflow, program):
    names = ["λ", "größe", "学习率", "損失", "손실", "потери", "ºª²µ", "a b/c:d.e-f_g", "dots.."]
    changed = ["loss?", "a//b", "../up", "/root", ".", "→", "e\u0301", "x" * 300, "ना"]
    metrics = {name: line(2) for name in names} | {"energy": line(1500)}
    run = run_tables.add_run(
        database,
        "whole",
        params={"sigma": "10.0", "Ω": "π", "empty": "", "long": "é" * 7000},
        tags={"who": "me\n"} | {f"tag {i}": "x" for i in range(120)},
        metrics=metrics | {name: line(1) for name in changed},
        command="./sim --n 3",
    )
    done = subprocess.run([program, "push", "--mlflow", mlflow.url, "last"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (there,) = mlflow.runs("whole")
    assert (there["name"], there["status"], there["times"]) == ("whole", "FINISHED", [START_MS, START_MS + 9000])
    assert there["params"] == {"sigma": "10.0", "Ω": "π", "empty": "", "long": "é" * 6000}
    assert there["tags"]["who"] == "me\n" and there["tags"]["tag 119"] == "x"
    assert there["tags"]["within.run"] == run and there["tags"]["mlflow.source.name"] == "./sim --n 3"
    points = points_of(there)
    assert {name: points[name] for name in metrics} == expected(metrics)
    assert len(points) == len(metrics) + len(changed)


def test_the_pages_first_example_works(mlflow, program, root, compile_c, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (root / "docs/runs/push.md").read_text()
    source = re.search(r"```c\n(/\* lorenz\.c.*?)```", page, re.S)[1]
    commands, shown = re.search(r"```sh\n(\./lorenz\n.*?)```\n```text\n(.*?)```", page, re.S).groups()
    compile_c(tmp_path, source).rename("lorenz")
    commands = commands.replace("http://127.0.0.1:5000", mlflow.url)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "no_proxy": "127.0.0.1"}
    done = subprocess.run(["sh", "-ec", commands], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = re.sub(r"\b[0-9a-f]{8}(?= lorenz)", "3f2a91c0", done.stdout)
    told = re.sub(r"\d+(?= parameters)|\w+$", "…", told.replace(mlflow.url, "http://127.0.0.1:5000"))
    assert re.sub(r"experiments/\d+", "experiments/1", told) == shown
    (there,) = mlflow.runs("lorenz")
    assert there["status"] == "FINISHED" and there["params"] == {"dt": "0.01"}
    assert {key: len(points) for key, points in there["metrics"].items()} == {"x": 5000, "z": 5000}


def test_mlflow_keeps_one_of_equal_points_and_no_infinities(database, mlflow, program):
    inf, largest = float("inf"), 1.7976931348623157e308
    points = [(0, START_MS, 1.0)] * 3 + [(1, START_MS, inf), (2, START_MS, -inf), (3, START_MS, float("nan"))]
    run_tables.add_run(database, "odd", metrics={"x": points})
    subprocess.run([program, "push", "--mlflow", mlflow.url, "last"], check=True, stdout=subprocess.DEVNULL)
    (there,) = mlflow.runs("odd")
    assert str(sorted(there["metrics"]["x"])) == str(
        [[0, START_MS, 1.0], [1, START_MS, largest], [2, START_MS, -largest], [3, START_MS, float("nan")]]
    )


def kill_until_all_is_there(program, url, times, longest_s):
    """Start and kill `times` times, then let one call end."""
    rng = random.Random(1)
    command = [program, "push", "--mlflow", url, "last"]
    for _ in range(times):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, longest_s))
        process.kill()
        process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def test_a_killed_push_is_gone_on_with(database, mlflow, program):
    metrics = {"x": line(20_000), "y": line(5000)}
    run_tables.add_run(database, "killed", "INTERRUPTED", metrics=metrics)
    kill_until_all_is_there(program, mlflow.url, times=20, longest_s=1)
    (there,) = mlflow.runs("killed")
    assert there["status"] == "KILLED"
    assert points_of(there) == expected(metrics)
