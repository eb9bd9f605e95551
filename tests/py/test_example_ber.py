"""The example: the bit error rate of BPSK agrees with its closed form, and bad options are refused."""

import contextlib
import csv
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


# ---- killed, and started again ----

SMALL = ["--bits", "8192", "--snr-max", "3"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run that nothing happened to prints, and its CSV."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return ber(folder, *SMALL).stdout, (folder / "ber.csv").read_bytes()


def start_again(folder, undisturbed):
    """Start once more: it ends as if nothing had happened, with all symbols."""
    done = ber(folder, *SMALL)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, (folder / "ber.csv").read_bytes()) == undisturbed
    if (folder / "ber.h5").exists() and shutil.which("h5ls"):
        listed = subprocess.run(["h5ls", folder / "ber.h5"], capture_output=True, text=True).stdout
        assert listed.split() == ["received", "Dataset", "{4/Inf,", "4096}"]
    return done


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


def test_after_a_kill_between_system_calls_the_next_start_makes_the_same_file(tmp_path, undisturbed, within):
    check_kills(tmp_path, undisturbed, within, 7)


@pytest.mark.long
def test_after_a_kill_between_any_two_system_calls_too(tmp_path, undisturbed, within):
    check_kills(tmp_path, undisturbed, within, 1)


def test_after_kills_at_any_moment_too(tmp_path, undisturbed):
    went_on = 0
    for death in kill_in_folders([BER, *SMALL], [tmp_path], times=20, seed=1, longest_s=0.06, reset=lambda folder: None):
        went_on += "going on after" in start_again(tmp_path, undisturbed).stderr
    assert went_on > 0


# ---- told to end ----

LONGER = ["--bits", "1000000", "--snr-max", "3"]


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
def test_after_a_signal_the_next_start_makes_the_same_file(tmp_path, name):
    undisturbed = ber(tmp_path, *LONGER).stdout, (tmp_path / "ber.csv").read_bytes()
    (tmp_path / "ber.csv").unlink()
    number = signal.Signals[name]
    status, errors = end_after_a_row(tmp_path, number)
    assert (status, errors.count("WI_INTERRUPTED: " + name)) == (-number, 1), errors
    assert 'left checkpoints "ber.checkpoints"' in errors
    assert not list(tmp_path.glob(".*within-*"))
    done = ber(tmp_path, *LONGER)
    assert "going on after" in done.stderr
    assert (done.stdout, (tmp_path / "ber.csv").read_bytes()) == undisturbed


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
