"""The example: the bit error rate of BPSK agrees with its closed form, each start is a run, and bad options are refused."""

import contextlib
import csv
import json
import math
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from faults import KILLED, calls, inject
from kills import kill_in_folders
from made import list_and_run_of, make_in
from shown_outputs import shown_below, words_of

BER = Path(os.environ["WITHIN_BUILD"]) / "examples/ber/ber"


def ber(folder, *options):
    return subprocess.run([BER, *options], cwd=folder, capture_output=True, text=True)


def test_rates_agree_with_the_closed_form(tmp_path):
    done = ber(tmp_path, "--bits", "400000", "--snr-max", "6", "--snr-step", "0.5")
    assert done.returncode == 0, done.stdout + done.stderr
    with open(tmp_path / "ber.csv", newline="") as file:
        rows = [(float(row["snr"]), float(row["ber"])) for row in csv.DictReader(file)]
    assert [snr for snr, _ in rows] == [i / 2 for i in range(13)]
    for snr, rate in rows:
        expected = 0.5 * math.erfc(math.sqrt(10 ** (snr / 10)))
        assert rate == pytest.approx(expected, abs=5 * math.sqrt(expected / 400000))


def test_the_same_seed_gives_the_same_file_and_another_does_not(tmp_path):
    files = []
    for name, seed in [("a", "7"), ("b", "7"), ("c", "8")]:
        ber(tmp_path, "--bits", "20000", "--seed", seed, "--csv", name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_table_is_printed_and_no_progress_without_a_terminal(tmp_path):
    done = ber(tmp_path, "--bits", "10000", "--snr-max", "2")
    assert len(done.stdout.splitlines()) == 2 + 3
    assert done.stderr == ""


@pytest.mark.parametrize(
    "options, says",
    [
        (["--bits", "0"], "--bits: 0 is not between 1 and"),
        (["--bits", "-5"], '--bits: "-5" is not a whole number'),
        (["--bits", "many"], '--bits: "many" is not a whole number'),
        (["--seed", "99999999999999999999"], "--seed: 99999999999999999999 is not between"),
        (["--snr-min", "x"], '--snr-min: "x" is not a number'),
        (["--snr-min", "nan"], "--snr-min: nan dB is not between -100 and 100"),
        (["--snr-max", "-3"], "--snr-max: -3 dB is below --snr-min, 0 dB"),
        (["--snr-step", "0"], "--snr-step: 0 dB is not above 0"),
        (["--snr-step", "1e-9"], "makes more than 10000 points"),
        (["--bist", "3"], "unrecognized option '--bist'"),
        (["extra"], '"extra" is no option'),
    ],
)
def test_a_bad_option_is_named_and_nothing_is_written(tmp_path, options, says):
    done = ber(tmp_path, *options)
    assert done.returncode == 2
    assert says in done.stderr and "try ber --help" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_csv_that_cannot_be_written_is_named(tmp_path):
    done = ber(tmp_path, "--bits", "1000", "--csv", "missing/ber.csv")
    assert done.returncode == 1
    assert "missing/ber.csv: cannot be opened: No such file or directory" in done.stderr


# ---- as a run ----


@pytest.fixture
def shown(within, build):
    """A function that gives what a command on the runs of a folder prints as JSON."""
    if not (build / "src/cli/within-runs").exists():
        pytest.skip("within-runs is not built here")

    def json_of(folder, *words):
        done = subprocess.run([within, *words, "--json"], cwd=folder, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return json_of


def statuses(shown, folder):
    return [run["status"] for run in shown(folder, "runs")]


def test_a_sweep_is_a_run_with_the_rates_of_the_csv(tmp_path, shown):
    ber(tmp_path, "--bits", "20000", "--snr-max", "3", "--snr-step", "0.5", "--seed", "7")
    run = shown(tmp_path, "export", "last")
    assert (run["name"], run["status"], run["tags"]) == ("ber", "FINISHED", {"verdict": "agrees"})
    assert run["params"] == {"snr_min_db": "0", "snr_max_db": "3", "snr_step_db": "0.5", "bits": "20000", "seed": "7"}
    assert run["environment"]["seed.0"] == "7"
    points = run["points"]
    with open(tmp_path / "ber.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert points["snr_db"]["value"] == [float(row["snr"]) for row in rows]
    assert points["ber"]["value"] == [float(row["ber"]) for row in rows]
    closed_form = [0.5 * math.erfc(math.sqrt(10 ** (i / 20))) for i in range(7)]
    assert points["predicted"]["value"] == pytest.approx(closed_form, rel=1e-12)
    assert [each["step"] for each in points.values()] == 3 * [list(range(7))]
    calls = {section["path"]: section["calls"] for section in run["sections"]}
    assert (calls["sweep"], calls["sweep > snr"], calls["sweep > snr > channel"]) == (1, 7, 7 * 5)
    kept = tmp_path / "runs.db.artifacts" / run["id"] / "ber.csv"
    assert kept.read_bytes() == (tmp_path / "ber.csv").read_bytes()


def test_a_sweep_whose_csv_cannot_be_written_has_failed(tmp_path, shown):
    ber(tmp_path, "--bits", "1000", "--csv", "missing/ber.csv")
    run = shown(tmp_path, "show", "ber")
    assert run["status"] == "FAILED"
    assert "missing/ber.csv: cannot be opened" in run["error"]


def test_seeds_are_compared(tmp_path, within, shown):
    for seed in 1, 2:
        ber(tmp_path, "--bits", "20000", "--seed", str(seed))
    ids = subprocess.run([within, "runs", "--ids"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    compared = shown(tmp_path, "compare", *ids.split())
    assert compared["params"] == {"seed": ["2", "1"]}
    assert compared["metrics"]["predicted"][0] == compared["metrics"]["predicted"][1]
    assert set(compared["sections_s"]) >= {"sweep", "sweep > snr", "sweep > snr > detect"}


@pytest.fixture
def make(tmp_path, within, shown):
    """A function that makes a target of the Makefile with fewer bits, and returns what is printed."""
    (tmp_path / "made").mkdir()
    programs = {"src/cli/within": f'exec {within} "$@"', "examples/ber/ber": f'exec {BER} "$@" --bits 20000'}
    return make_in(tmp_path / "made", programs)


def test_make_run_ends_with_the_list_of_runs_and_the_newest(make):
    make("run")
    (new, old), newest = list_and_run_of(make("run"))
    assert (new[1:3], old[1:3]) == (["ber", "FINISHED"], ["ber", "FINISHED"])
    assert newest.startswith(new[0]) and not newest.startswith(old[0])


def test_make_compare_ends_with_five_seeds_beside_each_other(make):
    lines = make("compare").splitlines()
    assert lines[0].split() == ["run", *5 * ["ber"]]
    assert [line.split() for line in lines if line.startswith("  seed ")] == [["seed", "1", "2", "3", "4", "5"]]
    (rates,) = [line.split()[1:] for line in lines if line.startswith("  ber ")]
    (times,) = [line.split(">")[-1].split()[1:] for line in lines if line.startswith("  sweep > snr > channel ")]
    assert (len(rates), len(times)) == (5, 10)


def test_the_readme_shows_the_end_of_make_run_and_of_make_compare(root, make):
    printed = make("run").split("\nrun  ")
    shown = shown_below(root / "README.md", "within show last")
    names = [[line.split()[0] for line in text.splitlines() if line] for text in (shown, "run  " + printed[1])]
    of_sections = {"section", "sweep", "snr", "channel", "generate", "modulate", "detect"}
    assert [name for name in names[0] if name not in ("…", "git.commit", "git.dirty")] == [
        name for name in names[1] if name not in of_sections
    ]
    title = printed[0].splitlines()[-2]
    assert shown_below(root / "README.md", "within runs").splitlines()[0].split() == title.split()
    compare = "within compare $(within runs --name ber --limit 5 --ids)"
    assert words_of(shown_below(root / "README.md", compare)) == words_of(make("compare"))


def test_the_plot_of_the_rates_is_that_of_the_docs(root, tmp_path, within, shown):
    ber(tmp_path, "--bits", "10000000")
    command = "within plot ber ber predicted --log --size 70x14"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    plot = [within, *command.split()[1:]]
    done = subprocess.run(plot, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    expected, plotted = shown_below(root / "docs/runs/shell.md", command), done.stdout
    assert plotted.splitlines()[1:] == expected.splitlines()[1:]


# ---- killed, and started again ----

SMALL = ["--bits", "8192", "--snr-max", "3"]
LONGER = ["--bits", "1000000", "--snr-max", "3"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run that nothing happened to prints, and its CSV."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return ber(folder, *SMALL).stdout, (folder / "ber.csv").read_bytes()


def start_again(folder, undisturbed, options=SMALL):
    """Start once more: it ends as if nothing had happened, with all symbols."""
    done = ber(folder, *options)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, (folder / "ber.csv").read_bytes()) == undisturbed
    if (folder / "ber.h5").exists() and shutil.which("h5ls"):
        listed = subprocess.run(["h5ls", folder / "ber.h5"], capture_output=True, text=True).stdout
        assert listed.split() == ["received", "Dataset", "{4/Inf,", "4096}"]
    return done


@pytest.fixture
def runs_elsewhere(tmp_path_factory, monkeypatch):
    """Runs go to another folder, so that what the sweep itself writes can be told from them."""
    monkeypatch.setenv("WITHIN_DATABASE", str(tmp_path_factory.mktemp("runs") / "runs.db"))


def check_kills(tmp_path, undisturbed, within, every):
    """Kill before every so manieth of the system calls that concern the folder, and start again."""
    command = [BER, *SMALL]
    for number, name, path, _ in calls(command, tmp_path, cwd=tmp_path)[::every]:
        subprocess.run(f"rm -rf {tmp_path}/* {tmp_path}/.[a-z]*", shell=True, check=True)
        assert inject(command, tmp_path, number, "kill", cwd=tmp_path).returncode == KILLED, (number, name, path)
        start_again(tmp_path, undisturbed)
        subprocess.run([within, "clean", tmp_path], check=True, capture_output=True)
        left = sorted(file.name for file in tmp_path.iterdir() if not file.name.startswith("ber."))
        assert left == [], (number, name, path)


def test_after_a_kill_between_system_calls_the_next_start_makes_the_same_file(
    tmp_path, undisturbed, within, runs_elsewhere
):
    check_kills(tmp_path, undisturbed, within, 7)


@pytest.mark.long
def test_after_a_kill_between_any_two_system_calls_too(tmp_path, undisturbed, within, runs_elsewhere):
    check_kills(tmp_path, undisturbed, within, 1)


def test_after_kills_at_any_moment_too_and_each_start_is_a_run(tmp_path, shown):
    undisturbed, went_on = (ber(tmp_path, *LONGER).stdout, (tmp_path / "ber.csv").read_bytes()), 0
    for _ in kill_in_folders([BER, *LONGER], [tmp_path], times=12, seed=1, longest_s=0.12, reset=lambda folder: None):
        went_on += "going on after" in start_again(tmp_path, undisturbed, LONGER).stderr
        newest = shown(tmp_path, "show", "last")
        assert newest["status"] == "FINISHED"
        assert {metric["count"] for metric in newest["metrics"]} == {4}
    assert went_on > 0
    became = statuses(shown, tmp_path)
    assert became.count("FINISHED") >= 12 and became.count("KILLED") >= went_on
    assert set(became) == {"FINISHED", "KILLED"}


# ---- told to end ----


def end_after_a_row(folder, number):
    """Start a sweep and send it the signal when its CSV has a row; return how it ended, and what it said."""
    process = subprocess.Popen([BER, *LONGER], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            if (folder / "ber.csv").read_text().count("\n") > 1:
                break
        time.sleep(0.005)
    process.send_signal(number)
    errors = process.communicate()[1]
    return process.returncode, errors


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_after_a_signal_the_next_start_makes_the_same_file(tmp_path, shown, name):
    undisturbed = ber(tmp_path, *LONGER).stdout, (tmp_path / "ber.csv").read_bytes()
    (tmp_path / "ber.csv").unlink()
    number = signal.Signals[name]
    status, errors = end_after_a_row(tmp_path, number)
    assert (status, errors.count("WI_INTERRUPTED: " + name)) == (-number, 1), errors
    assert 'left checkpoints "ber.checkpoints"' in errors
    assert not list(tmp_path.glob(".*within-*"))
    assert shown(tmp_path, "show", "last")["signal"] == name
    done = ber(tmp_path, *LONGER)
    assert "going on after" in done.stderr
    assert (done.stdout, (tmp_path / "ber.csv").read_bytes()) == undisturbed
    assert statuses(shown, tmp_path) == ["FINISHED", "INTERRUPTED", "FINISHED"]


def kill_before_the_last_checkpoint(command, folder):
    last = "ber.checkpoints/checkpoint-000004.manifest"
    (number,) = [call[0] for call in calls(command, folder, cwd=folder) if call[1:3] == ("rename", last)]
    subprocess.run(f"rm -rf {folder}/*", shell=True, check=True)
    assert inject(command, folder, number, "kill", cwd=folder).returncode == KILLED


def test_a_sweep_with_other_options_begins_anew(tmp_path, undisturbed):
    kill_before_the_last_checkpoint([BER, *SMALL, "--seed", "2"], tmp_path)
    assert start_again(tmp_path, undisturbed).stderr == ""


def test_what_a_checkpoint_knows_and_the_csv_lacks_is_an_error(tmp_path):
    kill_before_the_last_checkpoint([BER, *SMALL], tmp_path)
    (tmp_path / "ber.csv").write_text("snr,ber\n0.0,0.5\n")
    done = ber(tmp_path, *SMALL)
    assert done.returncode == 1
    assert "WI_DATA_ERROR: ber.csv: it has 1 rows, not the 3 that are to stay" in done.stderr
