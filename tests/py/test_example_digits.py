"""The example in Python: the digits are learnt, each part of it is measured, each start is a run; bad options are refused."""

import csv
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import time

import pytest
from made import list_and_run_of, make_in
from shown_outputs import shown_below, words_of

SETTING = ["--epochs", "2", "--hidden", "16", "--batch-size", "100"]
NEEDED = "import numpy, sklearn, within._runs"

GRADIENTS = """
import numpy as np
from network import Network, cross_entropy

random = np.random.default_rng(1)
network = Network(5, 7, 3, random)
images, labels = random.normal(size=(4, 5)), np.array([0, 2, 1, 2])

def loss():
    return cross_entropy(network.forward(images)[1], labels)[0]

units, scores = network.forward(images)
gradients = network.backward(images, units, cross_entropy(scores, labels)[1])
step = 1e-6
for parameter, gradient in zip(network.parameters, gradients):
    for place in np.ndindex(parameter.shape):
        parameter[place] += step
        above = loss()
        parameter[place] -= 2 * step
        below = loss()
        parameter[place] += step
        assert abs((above - below) / (2 * step) - gradient[place]) < 1e-7, place
"""


@pytest.fixture(scope="module")
def digits(root):
    return root / "examples/digits"


@pytest.fixture(scope="module")
def python(build):
    """The Python of `make run-python`, and an environment in which it has this build's package if it can."""
    path = build / "venv/bin/python"
    if not path.exists():
        pytest.skip("there is no build/venv; type: make run-python")
    for site in build / "site", "":
        environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
        if subprocess.run([path, "-c", NEEDED], env=environment, capture_output=True).returncode == 0:
            return path, environment
    pytest.skip("build/venv lacks numpy, scikit-learn or the package with its runs; type: make run-python")


@pytest.fixture
def run(python, digits, tmp_path):
    """A function that runs train.py with options in a folder of its own; train=() runs something else."""

    def run_python(*options, train=(digits / "train.py",), env={}, **keywords):
        path, environment = python
        keywords = {"capture_output": True, "text": True, "cwd": tmp_path, "timeout": 60, **keywords}
        return subprocess.run([path, *train, *options], env={**environment, **env}, **keywords)

    return run_python


def test_a_short_training_knows_the_digits(run):
    done = run("--epochs", "12", "--hidden", "64")
    assert done.returncode == 0, done.stderr
    name, share, rest = done.stdout.split(None, 2)
    assert (name, rest) == ("accuracy", "% on 360 digits held out, after 12 epochs\n")
    assert float(share) > 95


def test_a_network_that_knows_too_little_ends_with_status_1(run):
    done = run(*SETTING)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("accuracy ")


def test_every_part_of_an_epoch_is_in_the_record(run, within, tmp_path):
    record = tmp_path / "record"
    run(*SETTING, env={"WITHIN_RECORD": str(record)})
    report = subprocess.run([within, "report", "--csv", record], capture_output=True, text=True, check=True)
    calls = {row["path"]: int(row["calls"]) for row in csv.DictReader(io.StringIO(report.stdout))}
    batches = 2 * 15  # of 1437 digits, 100 at a time
    parts = {f"epoch > {part}": batches for part in ("forward", "loss", "backward", "update")}
    assert calls == {"epoch": 2, "save": 2, "evaluate": 3, **parts}


def test_the_same_seed_gives_the_same_network_and_another_does_not(run):
    printed = [run(*SETTING, "--seed", seed).stdout for seed in ("7", "7", "8")]
    assert printed[0] == printed[1] != printed[2]


def test_the_gradients_are_those_of_the_loss(run, digits):
    done = run("-c", GRADIENTS, train=(), cwd=digits)
    assert done.returncode == 0, done.stderr


def test_progress_is_one_line_of_a_terminal_and_gone_at_the_end(run):
    ours, terminal = os.openpty()
    done = run(*SETTING, capture_output=False, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    shown = os.read(ours, 10000).decode()
    os.close(ours)
    assert done.stdout.startswith("accuracy ")
    assert "epoch 1 of 2, loss " in shown and "epoch 2 of 2, loss " in shown
    assert "\n" not in shown and shown.endswith("\r\x1b[K")


def test_a_training_that_diverges_says_what_to_change(run):
    done = run(*SETTING, "--learning-rate", "1e300")
    assert done.returncode == 1
    assert re.fullmatch(
        r"train\.py: epoch 1: .*(overflow|invalid).*/network\.py.*: try a smaller --learning-rate\n", done.stderr
    )


# ---- as a run ----


@pytest.fixture
def shown(within, tmp_path):
    """A function that gives what a command on the runs of the folder prints as JSON."""

    def json_of(*words):
        done = subprocess.run([within, *words, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return json_of


def test_a_training_is_a_run_with_what_it_prints_and_logs(run, shown, tmp_path):
    printed = run("--epochs", "3", "--seed", "5", "--hidden", "32").stdout
    trained = shown("export", "last")
    setting = {"epochs": "3", "batch_size": "16", "hidden": "32", "learning_rate": "0.05", "seed": "5"}
    assert (trained["name"], trained["status"], trained["params"]) == ("digits", "FINISHED", setting)
    assert trained["environment"]["seed.0"] == "5" and "package.numpy" in trained["environment"]
    with open(tmp_path / "digits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert trained["points"]["loss"]["value"] == [float(row["loss"]) for row in rows]
    assert [points["step"] for points in trained["points"].values()] == 2 * [[1, 2, 3]]
    share = trained["points"]["accuracy"]["value"][-1]
    assert printed.startswith(f"accuracy {100 * share:.1f} % on 360 digits")
    assert trained["tags"] == {"verdict": "learnt" if share > 0.95 else "not learnt"}
    calls = {section["path"]: section["calls"] for section in trained["sections"]}
    assert (calls["epoch"], calls["epoch > forward"], calls["evaluate"]) == (3, 3 * 90, 4)
    kept = tmp_path / "runs.db.artifacts" / trained["id"] / "digits.csv"
    assert kept.read_bytes() == (tmp_path / "digits.csv").read_bytes()


def test_a_training_that_diverges_has_failed(run, shown):
    said = run(*SETTING, "--learning-rate", "1e300").stderr
    failed = shown("show", "digits")
    assert failed["status"] == "FAILED" and said.strip() in failed["error"]


@pytest.fixture
def make(python, within, tmp_path):
    """A function that makes a target of the Makefile with fewer epochs, and returns what is printed."""
    path, environment = python
    options = f'PYTHONPATH={environment["PYTHONPATH"]} exec {path} "$@" --epochs 12 --hidden 64'
    return make_in(tmp_path, {"venv/bin/within": f'exec {within} "$@"', "venv/bin/python": options})


def test_make_run_python_ends_with_the_list_of_runs_and_the_newest(make):
    make("run-python")
    (new, old), newest = list_and_run_of(make("run-python"))
    assert (new[1:3], old[1:3]) == (["digits", "FINISHED"], ["digits", "FINISHED"])
    assert newest.startswith(new[0]) and not newest.startswith(old[0])


def test_make_compare_python_ends_with_five_seeds_beside_each_other_as_the_docs_show_it(root, make):
    lines = make("compare-python").splitlines()
    shown = shown_below(root / "docs/runs/shell.md", "within compare $(within runs --name digits --limit 5 --ids)")
    assert words_of(shown) == words_of("\n".join(lines[5:]))
    assert sum(line.startswith("accuracy ") and "held out" in line for line in lines) == 5
    assert [line.split() for line in lines if line.startswith("  seed ")] == [["seed", "1", "2", "3", "4", "5"]]
    (losses,) = [line.split()[1:] for line in lines if line.startswith("  loss ")]
    assert len(set(losses)) == 5
    assert any(line.startswith("  epoch > update ") for line in lines)


# ---- killed, and started again ----


def test_the_loss_of_each_epoch_is_logged(run, tmp_path):
    run(*SETTING)
    with open(tmp_path / "digits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[0]["loss"]) > float(rows[1]["loss"]) > 0


def test_after_kills_the_next_start_makes_the_same_file_and_each_start_is_a_run(run, python, digits, tmp_path, shown):
    setting = ["--epochs", "12", *SETTING[2:]]
    undisturbed = run(*setting).stdout, (tmp_path / "digits.csv").read_bytes()
    path, environment = python
    went_on = 0
    for number in (0, 1, 4, 7):
        subprocess.run(["rm", "-rf", tmp_path / "digits.csv", tmp_path / "digits.checkpoints"], check=True)
        process = subprocess.Popen([path, digits / "train.py", *setting], env=environment, cwd=tmp_path)
        wait_for_rows(tmp_path / "digits.csv", number, process)
        process.kill()
        process.wait()
        done = run(*setting)
        assert (done.stdout, (tmp_path / "digits.csv").read_bytes()) == undisturbed
        went_on += "going on after epoch" in done.stderr
    assert went_on > 0
    became = [each["status"] for each in shown("runs")]
    assert became.count("KILLED") >= went_on and set(became) == {"FINISHED", "KILLED"}


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_after_a_signal_the_next_start_makes_the_same_file(run, python, digits, tmp_path, shown, name):
    setting = ["--epochs", "40", *SETTING[2:]]
    undisturbed = run(*setting).stdout, (tmp_path / "digits.csv").read_bytes()
    subprocess.run(["rm", "-rf", tmp_path / "digits.csv", tmp_path / "digits.checkpoints"], check=True)
    path, environment = python
    command = [path, digits / "train.py", *setting]
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_for_rows(tmp_path / "digits.csv", 3, process)
    process.send_signal(signal.Signals[name])
    errors = process.communicate()[1]
    assert process.returncode == -signal.Signals[name], errors
    assert f"within.Interrupted: {name}" in errors
    assert not list(tmp_path.glob("**/.*within-*"))
    assert (shown("show", "last")["status"], shown("show", "last")["signal"]) == ("INTERRUPTED", name)
    done = run(*setting)
    assert "going on after epoch" in done.stderr
    assert (done.stdout, (tmp_path / "digits.csv").read_bytes()) == undisturbed


def wait_for_rows(path, count, process):
    """Wait until the file has so many rows, or the process has ended."""
    while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") <= count):
        time.sleep(0.001)


def test_a_training_goes_on_for_more_epochs_but_not_with_another_setting(run, tmp_path, shown):
    run(*SETTING)
    longer = run("--epochs", "3", *SETTING[2:])
    assert longer.stderr == "train.py: going on after epoch 2 of 3\n"
    newest = shown("export", "last")
    assert newest["tags"]["goes on after"] == "epoch 2" and newest["points"]["loss"]["step"] == [3]
    went_on = (tmp_path / "digits.csv").read_bytes()
    other = run("--epochs", "4", *SETTING[2:], "--seed", "2")
    assert other.stderr == ""
    assert run("--epochs", "3", *SETTING[2:]).stderr == ""
    assert (tmp_path / "digits.csv").read_bytes() == went_on


# ---- options ----


@pytest.fixture
def read_options(digits):
    """The reader of the options. It needs no NumPy."""
    spec = importlib.util.spec_from_file_location("digits_options", digits / "options.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read_options


def test_options_are_read(read_options):
    options = read_options(["--epochs", "3", "--batch-size", "8", "--learning-rate", "1e-3", "--seed", "0"])
    assert (options.epochs, options.batch_size, options.learning_rate, options.seed) == (3, 8, 1e-3, 0)


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--epochs", "0"], "argument --epochs: 0 is not between 1 and 100000"),
        (["--epochs", "many"], 'argument --epochs: "many" is not a whole number'),
        (["--batch-size", "-5"], "argument --batch-size: -5 is not between 1 and 100000"),
        (["--hidden", "1.5"], 'argument --hidden: "1.5" is not a whole number'),
        (["--seed", "-1"], "argument --seed: -1 is not between 0 and 4294967295"),
        (["--learning-rate", "fast"], 'argument --learning-rate: "fast" is not a number'),
        (["--learning-rate", "0"], "argument --learning-rate: 0 is not above 0 and finite"),
        (["--learning-rate", "nan"], "argument --learning-rate: nan is not above 0 and finite"),
        (["--learning-rate", "inf"], "argument --learning-rate: inf is not above 0 and finite"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["extra"], "unrecognized arguments: extra"),
    ],
)
def test_a_bad_option_is_named(read_options, capsys, arguments, says):
    with pytest.raises(SystemExit) as stopped:
        read_options(arguments)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
